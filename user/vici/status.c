// SPDX-License-Identifier: MIT
/* IKE SAs, CHILD_SAs and connections in VICI's sections and keys. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../ikev2/eap/eap.h"
#include "names.h"
#include "status.h"

static void put_u64(struct vici_builder *b, const char *key, uint64_t value)
{
	vici_fmt(b, key, "%" PRIu64, value);
}

static void put_flag(struct vici_builder *b, const char *key, bool set)
{
	if (set)
		vici_str(b, key, "yes");
}

/* Left out if there is none. */
static void put_alg(struct vici_builder *b, const char *key, uint8_t type, uint16_t id)
{
	char name[VICI_ALG_MAX];

	if (id)
		vici_str(b, key, vici_alg_name(type, id, name));
}

static void put_cipher(struct vici_builder *b, uint16_t encr, uint16_t bits, uint16_t integ)
{
	put_alg(b, "encr-alg", IKE_TRANSFORM_ENCR, encr);
	if (bits)
		put_u64(b, "encr-keysize", bits);
	put_alg(b, "integ-alg", IKE_TRANSFORM_INTEG, integ);
}

static void put_endpoint(struct vici_builder *b, const char *host, const char *port,
			 const struct ike_endpoint *e)
{
	char text[IKE_ADDR_TEXT_MAX];

	if (!e->addr.family)
		return;
	vici_str(b, host, ike_addr_text(&e->addr, text, sizeof(text)));
	put_u64(b, port, e->port);
}

static void put_id(struct vici_builder *b, const char *key, const struct ike_id *id)
{
	char text[IKE_ID_TEXT_MAX];

	vici_str(b, key, id ? ike_id_text(id, text, sizeof(text)) : "%any");
}

/* Seconds from @then to now, or to @then from now. */
static void put_since(struct vici_builder *b, const char *key, ike_time then, ike_time now)
{
	put_u64(b, key, now > then ? (now - then) / IKE_SECOND : 0);
}

static void put_until(struct vici_builder *b, const char *key, ike_time then, ike_time now)
{
	if (then && then != UINT64_MAX)
		put_u64(b, key, then > now ? (then - now) / IKE_SECOND : 0);
}

static void put_ts(struct vici_builder *b, const char *key, const struct ike_ts *ts, size_t n)
{
	char text[IKE_TS_TEXT_MAX];
	size_t i;

	vici_list(b, key);
	for (i = 0; i < n; i++)
		vici_item(b, ike_ts_text(&ts[i], text, sizeof(text)));
	vici_list_end(b);
}

static void put_usage(struct vici_builder *b, const char *bytes, const char *packets,
		      const char *idle, const struct ike_usage *u)
{
	put_u64(b, bytes, u->bytes);
	put_u64(b, packets, u->packets);
	if (u->packets && u->idle_seconds != UINT64_MAX)
		put_u64(b, idle, u->idle_seconds);
}

/* RFC 9370. */
static void put_addke(struct vici_builder *b, const uint16_t *addke)
{
	char key[16];

	for (unsigned int i = 0; addke && i < IKE_ADDKE_MAX; i++) {
		snprintf(key, sizeof(key), "ake%u", i + 1);
		put_alg(b, key, IKE_TRANSFORM_KE, addke[i]);
	}
}

static void put_if_ids(struct vici_builder *b, const struct ike_child_info *c)
{
	if (c->if_id_in)
		vici_fmt(b, "if-id-in", "%08x", c->if_id_in);
	if (c->if_id_out)
		vici_fmt(b, "if-id-out", "%08x", c->if_id_out);
}

/* The keys of one CHILD_SA, without the section around them. */
static void put_child_keys(struct vici_builder *b, const struct ike_child_info *c, ike_time now)
{
	if (c->name)
		vici_str(b, "name", c->name);
	put_u64(b, "uniqueid", c->id);
	/* Nothing of the kind exists here; swanctl prints it all the same. */
	put_u64(b, "reqid", c->id);
	if (c->state)
		vici_str(b, "state", c->state);
	vici_str(b, "mode", c->transport ? "TRANSPORT" : "TUNNEL");
	vici_str(b, "protocol", "ESP");
	put_flag(b, "encap", c->udp_encap);
	vici_fmt(b, "spi-in", "%08x", c->spi_in);
	vici_fmt(b, "spi-out", "%08x", c->spi_out);
	put_if_ids(b, c);
	put_cipher(b, c->encr, c->encr_bits, c->integ);
	put_alg(b, "dh-group", IKE_TRANSFORM_KE, c->ke);
	put_addke(b, c->addke);
	if (c->esn)
		vici_str(b, "esn", "1");
	put_usage(b, "bytes-in", "packets-in", "use-in", &c->in);
	put_usage(b, "bytes-out", "packets-out", "use-out", &c->out);
	put_until(b, "rekey-time", c->rekey_at, now);
	put_until(b, "life-time", c->expire_at, now);
	put_since(b, "install-time", c->installed ? c->installed : now, now);
	put_ts(b, "local-ts", c->local_ts, c->n_local_ts);
	put_ts(b, "remote-ts", c->remote_ts, c->n_remote_ts);
}

/* Sections must differ in name, so strongSwan puts the ID behind it. */
static void begin_child(struct vici_builder *b, const struct ike_child_info *c)
{
	char name[VICI_NAME_MAX + 1];

	snprintf(name, sizeof(name), "%.200s-%" PRIu64, c->name ? c->name : "", c->id);
	vici_section(b, name);
}

static void put_child(struct vici_builder *b, const struct ike_child_info *c, ike_time now)
{
	begin_child(b, c);
	put_child_keys(b, c, now);
	vici_section_end(b);
}

/* The keys of one IKE SA, without the section around them and without children. */
static void put_sa_keys(struct vici_builder *b, const struct ike_sa_info *sa, ike_time now)
{
	put_u64(b, "uniqueid", sa->id);
	vici_str(b, "version", "2");
	if (sa->state)
		vici_str(b, "state", sa->state);
	put_endpoint(b, "local-host", "local-port", &sa->local);
	put_id(b, "local-id", sa->local_id);
	put_endpoint(b, "remote-host", "remote-port", &sa->remote);
	put_id(b, "remote-id", sa->remote_id);
	if (sa->remote_user)
		vici_str(b, "remote-eap-id", sa->remote_user);
	put_flag(b, "initiator", sa->initiator);
	vici_fmt(b, "initiator-spi", "%016" PRIx64, sa->spi_i);
	vici_fmt(b, "responder-spi", "%016" PRIx64, sa->spi_r);
	put_flag(b, "nat-local", sa->nat_local);
	put_flag(b, "nat-remote", sa->nat_remote);
	put_flag(b, "nat-any", sa->nat_any);
	put_cipher(b, sa->encr, sa->encr_bits, sa->integ);
	put_alg(b, "prf-alg", IKE_TRANSFORM_PRF, sa->prf);
	put_alg(b, "dh-group", IKE_TRANSFORM_KE, sa->ke);
	put_addke(b, sa->addke);
	put_flag(b, "ppk", sa->ppk);
	if (sa->established)
		put_since(b, "established", sa->established, now);
	put_until(b, "rekey-time", sa->rekey_at, now);
	put_until(b, "reauth-time", sa->reauth_at, now);
}

static void begin_sa(struct vici_builder *b, const struct ike_sa_info *sa)
{
	vici_section(b, sa->conn ? sa->conn : "");
}

void vici_put_sa(struct vici_builder *b, const struct ike_sa_info *sa, ike_time now)
{
	size_t i;

	begin_sa(b, sa);
	put_sa_keys(b, sa, now);
	vici_section(b, "child-sas");
	for (i = 0; i < sa->n_children; i++)
		put_child(b, &sa->children[i], now);
	vici_section_end(b);
	vici_section_end(b);
}

void vici_put_ike_updown(struct vici_builder *b, bool up, const struct ike_sa_info *sa,
			 ike_time now)
{
	put_flag(b, "up", up);
	begin_sa(b, sa);
	put_sa_keys(b, sa, now);
	vici_section_end(b);
}

void vici_put_child_updown(struct vici_builder *b, bool up, const struct ike_sa_info *sa,
			   const struct ike_child_info *child, ike_time now)
{
	put_flag(b, "up", up);
	begin_sa(b, sa);
	put_sa_keys(b, sa, now);
	vici_section(b, "child-sas");
	put_child(b, child, now);
	vici_section_end(b);
	vici_section_end(b);
}

void vici_put_ike_rekey(struct vici_builder *b, const struct ike_sa_info *old,
			const struct ike_sa_info *new, ike_time now)
{
	begin_sa(b, new);
	vici_section(b, "old");
	put_sa_keys(b, old, now);
	vici_section_end(b);
	vici_section(b, "new");
	put_sa_keys(b, new, now);
	vici_section_end(b);
	vici_section_end(b);
}

void vici_put_child_rekey(struct vici_builder *b, const struct ike_sa_info *sa,
			  const struct ike_child_info *old, const struct ike_child_info *new,
			  ike_time now)
{
	begin_sa(b, sa);
	put_sa_keys(b, sa, now);
	vici_section(b, "child-sas");
	begin_child(b, new);
	vici_section(b, "old");
	put_child_keys(b, old, now);
	vici_section_end(b);
	vici_section(b, "new");
	put_child_keys(b, new, now);
	vici_section_end(b);
	vici_section_end(b);
	vici_section_end(b);
	vici_section_end(b);
}

static void put_addrs(struct vici_builder *b, const char *key, const struct ike_ts *list, size_t n,
		      char *const *names, size_t n_names)
{
	char text[IKE_TS_TEXT_MAX];
	size_t i;

	vici_list(b, key);
	for (i = 0; i < n; i++)
		vici_item(b, ike_ts_text(&list[i], text, sizeof(text)));
	for (i = 0; i < n_names; i++)
		vici_item(b, names[i]);
	if (!n && !n_names)
		vici_item(b, "%any");
	vici_list_end(b);
}

static void put_cert_subjects(struct vici_builder *b, const char *key,
			      const struct ike_cert_list *certs)
{
	char text[IKE_ID_TEXT_MAX];
	size_t i;

	if (!certs->n)
		return;
	vici_list(b, key);
	for (i = 0; i < certs->n; i++)
		vici_item(b, ike_id_text(&certs->list[i]->subject, text, sizeof(text)));
	vici_list_end(b);
}

static void put_auth(struct vici_builder *b, const char *section, const struct ike_auth_cfg *auth)
{
	static const char *const classes[] = {
		[IKE_AUTH_CFG_PSK] = "pre-shared key", [IKE_AUTH_CFG_PUBKEY] = "public key",
		[IKE_AUTH_CFG_EAP] = "EAP",
	};

	vici_section(b, section);
	vici_str(b, "class", classes[auth->method]);
	if (auth->method == IKE_AUTH_CFG_EAP && auth->eap_type)
		vici_str(b, "eap-type", ike_eap_type_name(auth->eap_type));
	if (auth->id.type)
		put_id(b, "id", &auth->id);
	if (auth->eap_id)
		vici_str(b, "eap_id", auth->eap_id);
	put_cert_subjects(b, "certs", &auth->certs);
	put_cert_subjects(b, "cacerts", &auth->cacerts);
	vici_section_end(b);
}

static const char *const modes[] = {
	[IKE_MODE_TUNNEL] = "TUNNEL", [IKE_MODE_TRANSPORT] = "TRANSPORT",
	[IKE_MODE_PASS] = "PASS", [IKE_MODE_DROP] = "DROP",
};

void vici_put_policy(struct vici_builder *b, const char *name, const char *conn,
		     const struct ike_child_cfg *child)
{
	vici_section(b, name);
	vici_str(b, "child", child->name);
	vici_str(b, "ike", conn);
	vici_str(b, "mode", modes[child->mode]);
	put_ts(b, "local-ts", child->local_ts, child->n_local_ts);
	put_ts(b, "remote-ts", child->remote_ts, child->n_remote_ts);
	vici_section_end(b);
}

static void put_child_conn(struct vici_builder *b, const struct ike_child_cfg *c)
{
	vici_section(b, c->name);
	vici_str(b, "mode", modes[c->mode]);
	put_u64(b, "rekey_time", c->life.soft_seconds);
	put_u64(b, "rekey_bytes", c->life.soft_bytes);
	put_u64(b, "rekey_packets", c->life.soft_packets);
	put_ts(b, "local-ts", c->local_ts, c->n_local_ts);
	put_ts(b, "remote-ts", c->remote_ts, c->n_remote_ts);
	vici_section_end(b);
}

void vici_put_conn(struct vici_builder *b, const struct ike_conn_cfg *conn)
{
	static const char *const unique[] = {
		[IKE_UNIQUE_NO] = "UNIQUE_NO", [IKE_UNIQUE_NEVER] = "UNIQUE_NEVER",
		[IKE_UNIQUE_KEEP] = "UNIQUE_KEEP", [IKE_UNIQUE_REPLACE] = "UNIQUE_REPLACE",
	};
	size_t i;

	vici_section(b, conn->name);
	put_addrs(b, "local_addrs", conn->local_addrs, conn->n_local_addrs, NULL, 0);
	put_addrs(b, "remote_addrs", conn->remote_addrs, conn->n_remote_addrs, conn->remote_names,
		  conn->n_remote_names);
	put_u64(b, "local_port", conn->local_port);
	put_u64(b, "remote_port", conn->remote_port);
	vici_str(b, "version", "IKEv2");
	put_u64(b, "reauth_time", conn->reauth_time);
	put_u64(b, "rekey_time", conn->rekey_time);
	if (conn->dpd_delay)
		put_u64(b, "dpd_delay", conn->dpd_delay);
	vici_str(b, "unique", unique[conn->unique]);
	put_auth(b, "local-1", &conn->local);
	put_auth(b, "remote-1", &conn->remote);
	vici_section(b, "children");
	for (i = 0; i < conn->n_children; i++)
		put_child_conn(b, &conn->children[i]);
	vici_section_end(b);
	vici_section_end(b);
}
