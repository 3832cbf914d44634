"""azr-engine."""
