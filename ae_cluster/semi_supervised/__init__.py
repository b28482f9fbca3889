"""From a few labels and many unlabelled samples to a class for every sample.

budgets            which samples show their label
methods            the classifiers by name; each takes −1 for unlabelled
frozen             those on frozen codes: base, supervised, graph, cluster_then_label
finetuned          those that fine-tune the encoder; they load torch
active_learning    which samples to label
label_files        a user's labels, by id
evaluation         rows of every budget and draw
"""
