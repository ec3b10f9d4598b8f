"""eyespot: a folder of your own pictures becomes a convolutional network that you understand, trust and run."""

__version__ = "0.1.0"
