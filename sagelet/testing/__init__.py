"""For tests: Python functions that answer as endpoints and as images of jobs, and things that go wrong on purpose.

    with sagelet.testing.endpoint("churn", lambda request: b"0.7"): ...
    with sagelet.testing.image("my-image", train=train, serve=predict, process=prepare): ...
    with sagelet.testing.fault("throttle", operation="CreateEndpoint", times=1): ...

The functions run in the test's own process, in threads of their own; all else is the server's and real. Each is a
decorator, too. The guide is docs/testing.md.
"""

from sagelet.testing.blocks import EndpointFailed, endpoint, fault, image
from sagelet.testing.runs import ProcessingJob, TrainingJob
from sagelet.testing.serving import Reply, Request

__all__ = ["EndpointFailed", "ProcessingJob", "Reply", "Request", "TrainingJob", "endpoint", "fault", "image"]
