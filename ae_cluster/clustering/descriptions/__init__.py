"""What clusters are like: their samples, what tells them apart, doubtful labels, near-duplicates.

Arrays in, arrays out: `clusters`, `columns`, `label_errors`, `duplicates`.
"""
