"""Pure data and pure decisions: specs, compose files, placement, rollout, reconciliation."""
