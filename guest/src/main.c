// SPDX-License-Identifier: GPL-2.0
/*
 * kvm_dynirq: handles of a dynirq (Documentation/dynirq.rst of kvm-irqx) as interrupts of Linux.
 *
 * This file is where a dynirq is found: in a BAR of a PCI function, by ACPI, by a device tree.
 */
#include <linux/acpi.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/pm.h>

#include "dynirq.h"

static DEFINE_SIMPLE_DEV_PM_OPS(dynirq_pm, dynirq_suspend, dynirq_resume);

/* ---- PCI ---- */

/* The host learns of it and leaves the place; pci_enable_device() is the way back. */
static void pci_park(struct dynirq *dynirq)
{
	struct pci_dev *pdev = to_pci_dev(dynirq->dev);
	u16 command;

	pci_read_config_word(pdev, PCI_COMMAND, &command);
	pci_write_config_word(pdev, PCI_COMMAND, command & ~PCI_COMMAND_MEMORY);
}

/* The BAR is the largest of memory: functions have others, too. */
static int find_bar(struct pci_dev *pdev)
{
	int i, bar = -ENODEV;

	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		if (pci_resource_flags(pdev, i) & IORESOURCE_MEM &&
		    pci_resource_len(pdev, i) > DYNIRQ_HEADER_SIZE &&
		    (bar < 0 || pci_resource_len(pdev, i) > pci_resource_len(pdev, bar)))
			bar = i;
	return bar;
}

/*
 * The host can put its table there only once memory decoding is on, for only then it is told
 * where: so this does not wait for it.
 */
static int dynirq_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int bar = find_bar(pdev), ret;

	/* A test device of QEMU's that has something else to do. */
	if (bar < 0)
		return bar;
	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	ret = pcim_iomap_regions(pdev, BIT(bar), "kvm-dynirq");
	if (ret)
		return ret;
	return dynirq_add(&pdev->dev, pcim_iomap_table(pdev)[bar], pci_resource_len(pdev, bar),
			  pci_park);
}

static void dynirq_pci_shutdown(struct pci_dev *pdev)
{
	dynirq_shutdown(&pdev->dev);
}

static const struct pci_device_id dynirq_pci_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_REDHAT, 0x0005) },	/* QEMU's pci-testdev, with membar= */
	{ }
};
MODULE_DEVICE_TABLE(pci, dynirq_pci_ids);

static struct pci_driver dynirq_pci_driver = {
	.name		= "kvm-dynirq",
	.id_table	= dynirq_pci_ids,
	.probe		= dynirq_pci_probe,
	.shutdown	= dynirq_pci_shutdown,
	.driver.pm	= pm_sleep_ptr(&dynirq_pm),
};

/* ---- ACPI and device tree ---- */

static int dynirq_platform_probe(struct platform_device *pdev)
{
	struct resource *res;
	void __iomem *base;

	base = devm_platform_get_and_ioremap_resource(pdev, 0, &res);
	if (IS_ERR(base))
		return PTR_ERR(base);
	if (resource_size(res) <= DYNIRQ_HEADER_SIZE) {
		dev_err(&pdev->dev, "a range of 0x%llx bytes: a header alone has 4096\n",
			(unsigned long long)resource_size(res));
		return -EINVAL;
	}
	return dynirq_add(&pdev->dev, base, resource_size(res), NULL);
}

static void dynirq_platform_shutdown(struct platform_device *pdev)
{
	dynirq_shutdown(&pdev->dev);
}

static const struct acpi_device_id dynirq_acpi_ids[] = {
	{ "IRQX0001" },
	{ }
};
MODULE_DEVICE_TABLE(acpi, dynirq_acpi_ids);

static const struct of_device_id dynirq_of_ids[] = {
	{ .compatible = "kvm-irqx,dynirq-1" },
	{ }
};
MODULE_DEVICE_TABLE(of, dynirq_of_ids);

static struct platform_driver dynirq_platform_driver = {
	.probe		= dynirq_platform_probe,
	.shutdown	= dynirq_platform_shutdown,
	.driver = {
		.name			= "kvm-dynirq",
		.acpi_match_table	= ACPI_PTR(dynirq_acpi_ids),
		.of_match_table		= of_match_ptr(dynirq_of_ids),
		.pm			= pm_sleep_ptr(&dynirq_pm),
	},
};

static int __init dynirq_init(void)
{
	int ret;

	ret = dynirq_chardev_init();
	if (ret)
		return ret;
	ret = platform_driver_register(&dynirq_platform_driver);
	if (ret)
		goto err_chardev;
	ret = pci_register_driver(&dynirq_pci_driver);
	if (ret)
		goto err_platform;
	return 0;

err_platform:
	platform_driver_unregister(&dynirq_platform_driver);
err_chardev:
	dynirq_chardev_exit();
	return ret;
}

static void __exit dynirq_exit(void)
{
	pci_unregister_driver(&dynirq_pci_driver);
	platform_driver_unregister(&dynirq_platform_driver);
	dynirq_chardev_exit();
}

module_init(dynirq_init);
module_exit(dynirq_exit);

MODULE_DESCRIPTION("Handles of a dynirq as interrupts");
MODULE_AUTHOR("The kvm-irqx authors");
MODULE_LICENSE("GPL");
/* dkms.conf has it, too. */
MODULE_VERSION("1.0");
