"""``python -m irnet_ray``: the same as ``irnet-ray``."""

from irnet_ray.cli import main

main()
