"""What every job shares: its command line, log, progress, devices, and results that are whole, sealed and resumable."""
