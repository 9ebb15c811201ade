"""The library behind selfembed's scripts: importable, and free of Snakemake."""

import os

# Threads that wait for each other sleep instead of spinning. Beside other programs, fine-tuning on a CPU then takes
# half of the time (bench/README.md, "Waiting threads"). OpenMP reads this when torch or scikit-learn loads it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
