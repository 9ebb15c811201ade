"""Functions that all jobs use: command line, log, progress, devices, and atomic, sealed and resumable results."""
