"""For processes that have this folder in PYTHONPATH: a JPEG whose remark asks for it aborts, loops or takes memory."""

import builtins
import os
import sys

_REMARK = b"eyespot test: "
_import = builtins.__import__


def _load(self, load):
    remark = self.info.get("comment") or b""
    if remark == _REMARK + b"abort":
        os.abort()
    while remark == _REMARK + b"loop":
        pass
    if remark == _REMARK + b"allocate":
        taken = []
        while True:
            taken.append(bytearray(2**24))
    return load(self)


def _import_and_patch(name, *given, **options):
    found = _import(name, *given, **options)
    module = sys.modules.get("PIL.ImageFile")
    file = getattr(module, "ImageFile", None)
    if file is not None and "load" in vars(file):
        builtins.__import__ = _import
        load = file.load
        file.load = lambda self: _load(self, load)
    return found


builtins.__import__ = _import_and_patch
