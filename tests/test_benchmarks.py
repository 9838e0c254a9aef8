"""The comparison with other networks compares what it says."""

import torch

from benchmarks import inference
from styletransfer.models.transformer_net import TransformerNet


def test_peers_have_their_published_sizes():
    with torch.device("meta"):
        # the published 1,679,235 less the 1,600 biases before instance norms, which do nothing
        assert sum(parameter.numel() for parameter in TransformerNet().parameters()) == 1_677_635
        assert sum(parameter.numel() for parameter in inference.NETWORKS["CycleGAN ResNet-9"]().parameters()) // 10_000 == 1137
    assert TransformerNet()(torch.zeros(1, 3, 32, 48)).shape == (1, 3, 32, 48)


def test_table_divides_by_our_own_numbers():
    rows = [("StyleGenerator", 20.0, 10.0), ("TransformerNet", 110.0, 45.0)]
    results = [{"size": 64, "network": name, "milliseconds": time, "peak_mib": peak} for name, time, peak in rows]
    assert inference.table(results).splitlines()[-1] == "| 64 | TransformerNet | 110 | 5.5 | 45 | 4.5 |"


def test_every_network_is_timed():
    assert inference.milliseconds(32, repeats=1).keys() == inference.NETWORKS.keys()
