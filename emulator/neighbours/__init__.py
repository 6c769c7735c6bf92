"""The other AWS services that a SageMaker program talks to, answered on the same port.

S3 is our own (`emulator.neighbours.s3`); STS, and what shows our own logs and metrics, is answered here; the rest is
moto's, behind a journal. May not know SageMaker's resources. Nothing of moto is imported before it is needed.
"""

from emulator.neighbours.http import HttpReply, HttpRequest
from emulator.neighbours.neighbours import Neighbours

__all__ = ["HttpReply", "HttpRequest", "Neighbours"]
