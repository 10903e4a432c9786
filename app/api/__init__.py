"""The routes and their JSON. Public member names occur in `schemas` and nowhere else."""
