"""Minibatches; knows nothing of images, codes or clusters."""
