"""The version: everything that names it, and the build, reads it here."""

VERSION = "0.1.0"
