"""One job from its arguments to its folder."""
