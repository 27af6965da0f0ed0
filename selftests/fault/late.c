// SPDX-License-Identifier: GPL-2.0
/*
 * A cipher that answers late, as a busy accelerator may: AES-GCM for ESP, of
 * higher priority than any other, that encrypts after delay_ms milliseconds, in
 * a workqueue. It decrypts at once. The kernel tests a new cipher with hundreds
 * of packets, and one that is derived from it for the first SA, too: set the
 * delay after that.
 */
#include <crypto/internal/aead.h>
#include <linux/module.h>
#include <linux/workqueue.h>

static unsigned int delay_ms;
module_param(delay_ms, uint, 0644);
MODULE_PARM_DESC(delay_ms, "How long encryption takes, in milliseconds");

/**
 * struct late_request - what is encrypted later
 * @work: does it
 * @req: what was asked for
 * @child: the same for the cipher that does it
 */
struct late_request {
	struct delayed_work work;
	struct aead_request *req;
	struct aead_request child;
};

static struct crypto_aead *late_child(struct crypto_aead *aead)
{
	return *(struct crypto_aead **)crypto_aead_ctx(aead);
}

static void late_prepare(struct aead_request *req, struct aead_request *child)
{
	aead_request_set_tfm(child, late_child(crypto_aead_reqtfm(req)));
	aead_request_set_callback(child, 0, NULL, NULL);
	aead_request_set_crypt(child, req->src, req->dst, req->cryptlen, req->iv);
	aead_request_set_ad(child, req->assoclen);
}

static void late_work(struct work_struct *work)
{
	struct late_request *late = container_of(to_delayed_work(work),
						 struct late_request, work);
	struct aead_request *req = late->req;
	int err;

	late_prepare(req, &late->child);
	err = crypto_aead_encrypt(&late->child);
	local_bh_disable();
	aead_request_complete(req, err);
	local_bh_enable();
}

static int late_encrypt(struct aead_request *req)
{
	struct late_request *late = aead_request_ctx(req);

	late->req = req;
	INIT_DELAYED_WORK(&late->work, late_work);
	schedule_delayed_work(&late->work, msecs_to_jiffies(READ_ONCE(delay_ms)));
	return -EINPROGRESS;
}

static int late_decrypt(struct aead_request *req)
{
	struct late_request *late = aead_request_ctx(req);

	late_prepare(req, &late->child);
	return crypto_aead_decrypt(&late->child);
}

static int late_setkey(struct crypto_aead *aead, const u8 *key,
		       unsigned int len)
{
	return crypto_aead_setkey(late_child(aead), key, len);
}

static int late_setauthsize(struct crypto_aead *aead, unsigned int size)
{
	return crypto_aead_setauthsize(late_child(aead), size);
}

static int late_init(struct crypto_aead *aead)
{
	struct crypto_aead *child;

	/* One that is not asynchronous, so not this one. */
	child = crypto_alloc_aead("rfc4106(gcm(aes))", 0, CRYPTO_ALG_ASYNC);
	if (IS_ERR(child))
		return PTR_ERR(child);
	*(struct crypto_aead **)crypto_aead_ctx(aead) = child;
	crypto_aead_set_reqsize(aead, sizeof(struct late_request) +
				crypto_aead_reqsize(child));
	return 0;
}

static void late_exit(struct crypto_aead *aead)
{
	crypto_free_aead(late_child(aead));
}

static struct aead_alg late_alg = {
	.setkey = late_setkey,
	.setauthsize = late_setauthsize,
	.encrypt = late_encrypt,
	.decrypt = late_decrypt,
	.init = late_init,
	.exit = late_exit,
	.ivsize = 8,
	.maxauthsize = 16,
	.base = {
		.cra_name = "rfc4106(gcm(aes))",
		.cra_driver_name = "rfc4106-gcm-aes-late",
		.cra_priority = 100000,
		.cra_flags = CRYPTO_ALG_ASYNC,
		.cra_blocksize = 1,
		.cra_ctxsize = sizeof(struct crypto_aead *),
		.cra_module = THIS_MODULE,
	},
};

static int __init late_module_init(void)
{
	return crypto_register_aead(&late_alg);
}

static void __exit late_module_exit(void)
{
	crypto_unregister_aead(&late_alg);
}

module_init(late_module_init);
module_exit(late_module_exit);

MODULE_DESCRIPTION("A slow cipher for esptcp's tests");
MODULE_LICENSE("GPL");
