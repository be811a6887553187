# SPDX-License-Identifier: GPL-2.0
#
# Sphinx's configuration, for scripts/docs, which sets the environment: KERNEL_SOURCE is where scripts/fetch-source has
# put the kernel's own extensions (kernel-doc comments, links from plain text) and scripts/kernel-doc.

import os
import sys

source = os.environ["KERNEL_SOURCE"]
sys.path.insert(0, source + "/Documentation/sphinx")

project = "kvm-irqx"
author = "the kvm-irqx authors"
copyright = author
version = release = os.environ["IRQX_VERSION"]

extensions = ["automarkup", "kerneldoc", "sphinx.ext.graphviz"]
kerneldoc_bin = source + "/scripts/kernel-doc"
kerneldoc_srctree = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
graphviz_output_format = "svg"

highlight_language = "none"
primary_domain = "c"
html_theme = "alabaster"
html_theme_options = {"page_width": "1100px", "fixed_sidebar": True}
html_show_copyright = False
# The pages are the sources.
html_copy_source = False

# With -n a name of ours that leads nowhere is an error; the types and functions of KVM and libc are described
# elsewhere.
nitpick_ignore_regex = [
    ("c:.*", r"(?!kvm_irqx|KVM_IRQX).*"),
    # of which only pointers are known: linux/kvm_irqx.h
    ("c:.*", r"kvm_irqx_(context|source)"),
]
