"""What a run is asked, and what it leaves on disk; no torch."""
