"""The public JSON. Names of members occur here and nowhere else."""
