"""Files that describe clusters: for ``ray up``, and for KubeRay."""
