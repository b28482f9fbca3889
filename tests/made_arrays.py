"""Arrays made up for tests of users' files."""

import numpy as np

rng = np.random.default_rng(0)
BYTES = rng.integers(0, 256, (10, 5, 4), dtype=np.uint8)
FLOATS = rng.random((10, 5, 4))
TABLE = rng.normal(size=(10, 3)) * 1000
Y = np.arange(10) % 3
AN_OBJECT = np.array([{"a": 1}] * 10, dtype=object)
