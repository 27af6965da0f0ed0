// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: is the esptcp device up?
 */
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "doctor.h"

/* Without a binding there has been no need for the device. */
void doctor_device(struct doctor *doctor)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "esptcp0" };

	if (sock < 0)
		return;
	if (!ioctl(sock, SIOCGIFFLAGS, &request)) {
		if (request.ifr_flags & IFF_UP)
			doctor_add(doctor, VERDICT_OK, "device", NULL,
				   "esptcp0 is up");
		else
			doctor_add(doctor, VERDICT_PROBLEM, "device",
				   "ip link set esptcp0 up",
				   "esptcp0 is down: ESP of all SAs over TCP is dropped");
	}
	close(sock);
}
