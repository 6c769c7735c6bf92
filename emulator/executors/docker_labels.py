"""The names by which containers, networks and images of ours are found again, by this server, the next, or a person."""

from __future__ import annotations

PREFIX = "sagelet-"
"""What the names of containers and networks begin with."""

RUN_LABEL = "sagelet.run"
ARN_LABEL = "sagelet.arn"
DATA_LABEL = "sagelet.data-dir"
PART_LABEL = "sagelet.part"
SOCKET_LABEL = "sagelet.socket"
IMAGE_LABEL = "sagelet.image"
NETWORK_LABEL = "sagelet.network"

OWN_LABEL = "sagelet.algorithm"
"""On images that `containers/` builds; its value is the image's name."""
