"""Shared by all jobs: command line, log, progress, devices, and complete, sealed and resumable results."""
