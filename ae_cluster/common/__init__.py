"""What every floor may use: errors, checked arrays, files written whole."""
