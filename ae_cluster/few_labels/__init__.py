"""From a few labels and many unlabelled codes to a class for every sample.

    budgets    which samples show their label
    methods    the classifiers by name; each takes −1 for unlabelled
    suggesting which samples to label
    classifying  from a data set with a few labels to a table of predictions

The methods here work on frozen codes; those that reshape the encoder are in
`ae_cluster.reshaping`, and only their names are known here. Below them, in reading order:
neighbors, graph, solving, calibration, base, then labelled, graph_methods, clusters.
"""
