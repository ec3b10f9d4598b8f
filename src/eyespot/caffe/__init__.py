"""Networks that Caffe describes: a .prototxt becomes a chain of named stages, a .caffemodel its weights."""
