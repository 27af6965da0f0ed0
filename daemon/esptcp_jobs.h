/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_jobs esptcp_jobs
 * @{ @ingroup esptcp
 *
 * What is done with an IKE_SA when it has been checked in.
 */

#ifndef ESPTCP_JOBS_H_
#define ESPTCP_JOBS_H_

#include <sa/ike_sa.h>

/**
 * Don't let an IKE_SA continue whose settings are wrong, or whose connection is
 * gone: destroy it as soon as the calling thread has checked it in.
 *
 * @param ike_sa		IKE_SA
 */
void esptcp_jobs_refuse(ike_sa_t *ike_sa);

/**
 * Let an IKE_SA begin anew that charon is about to check in.
 *
 * @param id			its SPIs
 */
void esptcp_jobs_restart(ike_sa_id_t *id);

#endif /** ESPTCP_JOBS_H_ @}*/
