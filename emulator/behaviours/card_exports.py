"""Export jobs of model cards: a version of the card is written to S3 as a PDF, beside the request for it."""

from __future__ import annotations

import json
import logging
import tempfile
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import Validation
from emulator.papers import cards
from emulator.storage import uri
from emulator.store.records import Record

log = logging.getLogger(__name__)

KIND = "ModelCardExportJob"
REASON = 1024
"""Characters of a FailureReason."""


def create_export_job(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelCardExportJob.html."""
    params = call.params
    card = rooms.resources.named("ModelCard", call)
    version = card.body["ModelCardVersion"]
    try:
        uri.parse(params["OutputConfig"]["S3OutputPath"])
    except ValueError as error:
        raise Validation(f"S3OutputPath cannot be written to: {error}.") from None
    key = f"{card.parent or card.key}/export-job/{params['ModelCardExportJobName']}"
    given = replace(call, params={**params, "ModelCardVersion": version})
    record = rooms.resources.create(KIND, given, key=key, status="InProgress")
    export(rooms, record)
    return {"ModelCardExportJobArn": record.arn}


def export(rooms: Rooms, record: Record) -> None:
    """Do a job's work, beside the caller."""
    rooms.clock.call_at(rooms.clock.now(), partial(_export, rooms, record))


def _export(rooms: Rooms, record: Record) -> None:
    body = record.body
    target = uri.join(
        body["OutputConfig"]["S3OutputPath"], body["ModelCardName"], f"{body['ModelCardExportJobName']}.pdf"
    )
    try:
        _write(rooms, record, target)
        outcome = {"Status": "Completed", "ExportArtifacts": {"S3ExportArtifacts": target}}
    except Exception as error:
        log.exception("the export of %s failed", record.arn)
        outcome = {"Status": "Failed", "FailureReason": f"The PDF could not be written to {target}: {error}"[:REASON]}
    if rooms.resources.find(KIND, record.scope, record.key) is not None:
        rooms.resources.change(KIND, record.scope, record.key, lambda now: replace(now, body={**now.body, **outcome}))


def _write(rooms: Rooms, record: Record, target: str) -> None:
    """The PDF of the card as it was in the job's version."""
    key = f"{record.parent}/{record.body['ModelCardVersion']}"
    card = rooms.resources.get("ModelCardVersion", record.scope, key).body
    facts = {
        "ARN": card["ModelCardArn"],
        "Version": str(card["ModelCardVersion"]),
        "Status": card["ModelCardStatus"],
        "Created": _date(card["CreationTime"]),
        "Last modified": _date(card["LastModifiedTime"]),
    }
    title = f"Model card {card['ModelCardName']}"
    written = cards.paper(title, facts, json.loads(card["Content"]), card["Content"])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "card.pdf"
        file.write_bytes(written)
        rooms.storage.store(file, *uri.parse(target))


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
