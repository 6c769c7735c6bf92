"""What AWS says: the service models of the installed botocore, with our corrections laid over them.

Knows nothing of what the operations mean. The only room, beside `api.wire`, that touches botocore's models.
"""

from emulator.spec.models import SERVICES, load
from emulator.spec.overlay import OverlayError

__all__ = ["SERVICES", "OverlayError", "load"]
