"""What scores say: means, differences, intervals, claims, and agreement with published numbers."""
