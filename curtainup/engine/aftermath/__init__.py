"""What other updates hold or have left: locks, pending operations, and what no state knows."""
