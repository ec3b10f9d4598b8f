"""What the partial regime will ask for, kept while the frozen one computes its features: the pictures pass once."""

from __future__ import annotations

from eyespot.building.backbone import Backbone
from eyespot.building.surgery import features_stage, graph_trunk
from eyespot.features.tap import Tap
from eyespot.features.trunk import Trunk
from eyespot.regimes.cuts import Cuts, below_cut, parted
from eyespot.runs.job import Job


def tap_for(trunk: Trunk, backbone: Backbone, cuts: Cuts, job: Job, *, views: int) -> Tap | None:
    """The trunk's activations at the deepest cut; None where that makes no sense, or there is no room.

    views: of all pictures together, that may be computed.
    """
    from eyespot import blocks

    if job.store is None:
        return None
    net = backbone.built(job.cache_folder).eval()
    stage = cuts.deepest
    before, _ = parted(net, stage)
    features = features_stage(net)
    if stage == features:  # where the frozen regime's own features are
        return None
    whole, _ = blocks.split(net, after=features)
    tap = Tap(
        trunk,
        through=graph_trunk(
            whole,
            trunk.network,
            trunk.preprocess,
            precision=job.precision,
            cache_folder=job.cache_folder,
            feature_map=stage,
        ),
        below=below_cut(before, trunk.network, trunk.preprocess, job),
        store=job.store,
    )
    return tap if tap.has_room(views) else None
