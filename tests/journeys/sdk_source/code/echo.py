"""A script that answers with what it was sent, and as what."""

import json


def model_fn(model_dir):
    return model_dir


def input_fn(body, content_type):
    return {content_type: body.decode() if isinstance(body, bytes) else body}


def predict_fn(told, model):
    return told


def output_fn(told, accept):
    return json.dumps(told)
