"""The messages in which Caffe writes networks down, as far as they are read here: names, numbers and types of fields.

Caffe: github.com/BVLC/caffe, whose file src/caffe/proto/caffe.proto gives each field its number, type and default. The
classes are made from this table when they are first needed: there is no generated code to keep in step with protobuf.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_MESSAGES = {
    "Shape": "1 int64* dim",
    "Blob": "1 int64 num, 2 int64 channels, 3 int64 height, 4 int64 width, 5 bytes* data, 7 Shape shape, "
    "8 bytes* double_data",
    "State": "1 Phase phase, 2 int64 level, 3 string* stage",
    "Rule": "1 Phase phase, 2 int64 min_level, 3 int64 max_level, 4 string* stage, 5 string* not_stage",
    "Param": "1 string name; share_mode lr_mult decay_mult",
    "Transform": "3 uint32 crop_size, 6 bool force_color, 7 bool force_gray, 11 uint32 crop_h, 12 uint32 crop_w; "
    "scale mirror mean_file mean_value",
    "BatchNorm": "3 float eps = 1e-5; use_global_stats moving_average_fraction",
    "Concat": "1 uint32 concat_dim = 1, 2 int32 axis = 1",
    "Convolution": "1 uint32 num_output, 2 bool bias_term = true, 3 uint32* pad, 4 uint32* kernel_size, "
    "5 uint32 group = 1, 6 uint32* stride, 9 uint32 pad_h, 10 uint32 pad_w, 11 uint32 kernel_h, 12 uint32 kernel_w, "
    "13 uint32 stride_h, 14 uint32 stride_w, 16 int32 axis = 1, 18 uint32* dilation; "
    "weight_filler bias_filler engine force_nd_im2col",
    "Dropout": "1 float dropout_ratio = 0.5; scale_train",
    "DummyData": "2 uint32* num, 3 uint32* channels, 4 uint32* height, 5 uint32* width, 6 Shape* shape; data_filler",
    "Elu": "1 float alpha = 1",
    "Eltwise": "1 Operation operation = SUM, 2 float* coeff; stable_prod_grad",
    "Flatten": "1 int32 axis = 1, 2 int32 end_axis = -1",
    "InnerProduct": "1 uint32 num_output, 2 bool bias_term = true, 5 int32 axis = 1, 6 bool transpose; "
    "weight_filler bias_filler engine",
    "Input": "1 Shape* shape",
    "Lrn": "1 uint32 local_size = 5, 2 float alpha = 1, 3 float beta = 0.75, 4 Region norm_region, 5 float k = 1; "
    "engine",
    "MemoryData": "2 uint32 channels, 3 uint32 height, 4 uint32 width; batch_size",
    "Pooling": "1 Method pool, 2 uint32 kernel_size, 3 uint32 stride = 1, 4 uint32 pad, 5 uint32 kernel_h, "
    "6 uint32 kernel_w, 7 uint32 stride_h, 8 uint32 stride_w, 9 uint32 pad_h, 10 uint32 pad_w, 12 bool global_pooling, "
    "13 Round round_mode; engine",
    "PRelu": "2 bool channel_shared; filler",
    "Relu": "1 float negative_slope; engine",
    "Scale": "1 int32 axis = 1, 2 int32 num_axes = 1, 4 bool bias_term; filler bias_filler",
    "Softmax": "2 int32 axis = 1; engine",
    "Layer": "1 string name, 2 string type, 3 string* bottom, 4 string* top, 5 float* loss_weight, 6 Param* param, "
    "7 Blob* blobs, 8 Rule* include, 9 Rule* exclude, 100 Transform transform_param, 104 Concat concat_param, "
    "106 Convolution convolution_param, 108 Dropout dropout_param, 109 DummyData dummy_data_param, "
    "110 Eltwise eltwise_param, 117 InnerProduct inner_product_param, 118 Lrn lrn_param, "
    "119 MemoryData memory_data_param, 121 Pooling pooling_param, 123 Relu relu_param, 125 Softmax softmax_param, "
    "131 PRelu prelu_param, 135 Flatten flatten_param, 139 BatchNorm batch_norm_param, 140 Elu elu_param, "
    "142 Scale scale_param, 143 Input input_param; phase propagate_down",
    "OldLayer": "2 string* bottom, 3 string* top, 4 string name, 5 OldType type, 6 Blob* blobs, 9 Concat concat_param, "
    "10 Convolution convolution_param, 12 Dropout dropout_param, 17 InnerProduct inner_product_param, "
    "18 Lrn lrn_param, 19 Pooling pooling_param, 22 MemoryData memory_data_param, 24 Eltwise eltwise_param, "
    "26 DummyData dummy_data_param, 30 Relu relu_param, 32 Rule* include, 33 Rule* exclude, 35 float* loss_weight, "
    "36 Transform transform_param, 39 Softmax softmax_param, 1001 string* param; "
    "blobs_lr weight_decay blob_share_mode",
    "Net": "1 string name, 2 OldLayer* layers, 3 string* input, 4 int64* input_dim, 6 State state, "
    "8 Shape* input_shape, 100 Layer* layer; force_backward debug_info",
}
"""Of each message its fields, `number type name = default`, a `*` where it may come several times; after the semicolon
those that say nothing of what the network answers. Numbers of blobs are taken as bytes, as they lie in the file."""
OTHER_PARAMETERS = frozenset(
    f"{name}_param"
    for name in (
        *("accuracy", "argmax", "bias", "contrastive_loss", "crop", "data", "embed", "exp", "hdf5_data", "hdf5_output"),
        *("hinge_loss", "image_data", "infogain_loss", "log", "loss", "mvn", "parameter", "power", "python"),
        *("recurrent", "reduction", "reshape", "sigmoid", "slice", "spp", "tanh", "threshold", "tile", "window_data"),
        *("clip", "swish", "affinity"),
    )
)
"""Of layers that feed a training or measure it, and of those of kinds that are refused anyway."""
_ENUMS = {
    "Phase": {"TRAIN": 0, "TEST": 1},
    "Operation": {"PROD": 0, "SUM": 1, "MAX": 2},
    "Region": {"ACROSS_CHANNELS": 0, "WITHIN_CHANNEL": 1},
    "Method": {"MAX": 0, "AVE": 1, "STOCHASTIC": 2},
    "Round": {"CEIL": 0, "FLOOR": 1},
    "OldType": {
        **{"NONE": 0, "ACCURACY": 1, "BNLL": 2, "CONCAT": 3, "CONVOLUTION": 4, "DATA": 5, "DROPOUT": 6},
        **{"EUCLIDEAN_LOSS": 7, "FLATTEN": 8, "HDF5_DATA": 9, "HDF5_OUTPUT": 10, "IM2COL": 11, "IMAGE_DATA": 12},
        **{"INFOGAIN_LOSS": 13, "INNER_PRODUCT": 14, "LRN": 15, "MULTINOMIAL_LOGISTIC_LOSS": 16, "POOLING": 17},
        **{"RELU": 18, "SIGMOID": 19, "SOFTMAX": 20, "SOFTMAX_LOSS": 21, "SPLIT": 22, "TANH": 23, "WINDOW_DATA": 24},
        **{"ELTWISE": 25, "POWER": 26, "SIGMOID_CROSS_ENTROPY_LOSS": 27, "HINGE_LOSS": 28, "MEMORY_DATA": 29},
        **{"ARGMAX": 30, "THRESHOLD": 31, "DUMMY_DATA": 32, "SLICE": 33, "MVN": 34, "ABSVAL": 35, "SILENCE": 36},
        **{"CONTRASTIVE_LOSS": 37, "EXP": 38, "DECONVOLUTION": 39},
    },
}
_Field = descriptor_pb2.FieldDescriptorProto


def net_message() -> Any:
    """An empty message of a whole network, of the class that the table describes."""
    return _classes()["eyespot.caffe.Net"]()


def unused_fields(message: str) -> frozenset[str]:
    """The names of the fields of a message, such as "Convolution", that say nothing of what the network answers."""
    _, _, unused = _MESSAGES[message].partition(";")
    others = OTHER_PARAMETERS if message in ("Layer", "OldLayer") else frozenset()
    return frozenset(unused.split()) | others


@cache
def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="eyespot/caffe.proto", package="eyespot.caffe", syntax="proto2")
    for name, values in _ENUMS.items():
        enum = file.message_type.add(name=name).enum_type.add(name="Value")  # a name in its own room: MAX comes twice
        for value, number in values.items():
            enum.value.add(name=value, number=number)
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field in fields.partition(";")[0].split(","):
            message.field.append(_field(field))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return dict(message_factory.GetMessageClassesForFiles([file.name], pool))


def _field(text: str) -> Any:
    """`1 uint32* pad` or `2 bool bias_term = true` as a description of protobuf's."""
    declared, _, default = (part.strip() for part in text.partition("="))
    number, kind, name = declared.split()
    field = _Field(name=name, number=int(number), label=_Field.LABEL_OPTIONAL)
    if kind.endswith("*"):
        field.label = _Field.LABEL_REPEATED
    kind = kind.rstrip("*")
    if kind in _ENUMS or kind in _MESSAGES:
        field.type = _Field.TYPE_ENUM if kind in _ENUMS else _Field.TYPE_MESSAGE
        field.type_name = f".eyespot.caffe.{kind}{'.Value' if kind in _ENUMS else ''}"
    else:
        field.type = getattr(_Field, f"TYPE_{kind.upper()}")
    if default:
        field.default_value = default
    return field
