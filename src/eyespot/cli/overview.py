"""What `eyespot --help` lists: every command in the group where a newcomer looks for it, a line each."""

from __future__ import annotations

GROUPS = {
    "Train": {
        "train": "Train on a folder of pictures; write a model and a report.",
        "sample": "Write pictures to try eyespot on: drawn shapes, or digits.",
        "audit": "Look for copies, doubtful labels and odd pictures.",
        "add": "Train again with new pictures, and compare.",
        "augment": "Draw what augmentation does to a picture.",
        "convert": "Write boxes in another format: YOLO, COCO or Pascal VOC.",
    },
    "Look": {
        "predict": "Name the classes of pictures, or find their boxes.",
        "val": "Measure a model on labelled pictures.",
        "explain": "Draw where an answer comes from, and test whether it holds.",
        "runs": "List all runs, with how good each is.",
        "compare": "Say whether another model is better, and how sure that is.",
        "embed": "Write the features of pictures as plain arrays.",
    },
    "Ship": {
        "serve": "Serve a model over HTTP, with a page to try it.",
        "export": "Write a model as a file that other programs run.",
        "benchmark": "Measure how many images a second a model answers here.",
        "info": "Show version, engine, precision, processors and cache.",
        "cache": "Show how large the store of features is, or clear it.",
    },
    "Learn": {
        "studio": "Step through a network on your own picture, in the browser.",
        "lab": "Answer an open question about CNNs by an experiment.",
        "networks": "List the networks, or show what is known of one.",
        "summary": "Show the arithmetic of a network, layer by layer.",
        "feature-maps": "Draw what a stage of a network makes of a picture.",
        "kernels": "Draw the learned kernels of a first convolution.",
        "convolve": "Slide kernels over a picture.",
        "pool": "Make one number of each window of a picture.",
        "pixel-coverage": "Show how many windows use each pixel.",
        "learn-kernel": "Learn a kernel from a picture by gradient descent.",
        "stylize": "Paint a photo in the style of a painting.",
    },
}
COMMANDS = tuple(name for group in GROUPS.values() for name in group)
"""In the order in which a newcomer needs them."""
