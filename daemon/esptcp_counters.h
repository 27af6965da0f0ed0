/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_counters esptcp_counters
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_COUNTERS_H_
#define ESPTCP_COUNTERS_H_

#include <library.h>

typedef struct esptcp_counters_t esptcp_counters_t;
typedef enum esptcp_counter_t esptcp_counter_t;

/**
 * What can become of a connection that somebody opens to us.
 */
enum esptcp_counter_t {
	/** accepted */
	ESPTCP_ACCEPTED,
	/** refused for half_open_limit */
	ESPTCP_REFUSED,
	/** refused for half_open_limit_ip */
	ESPTCP_REFUSED_IP,
	/** refused as there are no descriptors */
	ESPTCP_NO_DESCRIPTORS,
	/** closed in favour of another, as a limit was reached */
	ESPTCP_DISPLACED,
	/** likewise, as there were no more descriptors */
	ESPTCP_DISPLACED_DESCRIPTOR,
	/** no stream prefix in time */
	ESPTCP_NO_PREFIX,
	/** something else than the stream prefix */
	ESPTCP_WRONG_PREFIX,
	/** no IKE_SA in time */
	ESPTCP_NO_IKE_SA,
	/** no established IKE_SA in time */
	ESPTCP_NOT_ESTABLISHED,
	/** number of counters */
	ESPTCP_COUNTERS,
};

/**
 * Counts what strangers do, and keeps them from filling the log.
 *
 * Thread-safe.
 */
struct esptcp_counters_t {

	/**
	 * Count something.
	 *
	 * @param counter	what
	 * @return			TRUE if it should be logged, as it has not been lately
	 */
	bool (*add)(esptcp_counters_t *this, esptcp_counter_t counter);

	/**
	 * Log all counters.
	 */
	void (*log)(esptcp_counters_t *this);

	/**
	 * Destroy a esptcp_counters_t.
	 */
	void (*destroy)(esptcp_counters_t *this);
};

/**
 * Create a esptcp_counters_t instance.
 */
esptcp_counters_t *esptcp_counters_create();

#endif /** ESPTCP_COUNTERS_H_ @}*/
