# Ray's image with this project in it, for Kubernetes: docker build --tag REGISTRY/irnet-ray:0.1.0 .
FROM rayproject/ray:2.60.0-py311-gpu
WORKDIR /home/ray/irnet-ray
COPY --chown=ray:users pyproject.toml constraints.txt README.md LICENSE ./
COPY --chown=ray:users irnet_ray irnet_ray
COPY --chown=ray:users studies studies
RUN python -m pip install --no-cache-dir --constraint constraints.txt .
