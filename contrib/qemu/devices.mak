# SPDX-License-Identifier: GPL-2.0-or-later
# What scripts/tests/long/qemu-guest uses, and what that needs.
CONFIG_Q35=y
CONFIG_VIRTIO_PCI=y
CONFIG_VIRTIO_BLK=y
CONFIG_VIRTIO_NET=y
CONFIG_NVME_PCI=y
CONFIG_PCIE_PORT=y
