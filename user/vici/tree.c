// SPDX-License-Identifier: MIT
/* A VICI message as a tree, for look-ups by name. */
#include <stdlib.h>
#include <string.h>

#include "vici.h"

/* A value may be a secret. */
static void free_node(struct vici_node *n)
{
	free(n->name);
	if (n->value)
		explicit_bzero(n->value, n->value_len);
	free(n->value);
	free(n);
}

/* Leaf by leaf, without recursion: the tree's shape came from the peer. */
void vici_tree_free(struct vici_node *root)
{
	struct vici_node *n = root, *up;

	while (n) {
		if (n->child) {
			up = n;
			n = n->child;
			up->child = n->next;
			continue;
		}
		up = n == root ? NULL : n->parent;
		free_node(n);
		n = up;
	}
}

static struct vici_node *new_node(struct vici_node *parent, const struct vici_element *e)
{
	struct vici_node *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->type = e->type;
	n->name = strdup(e->name);
	n->value = calloc(1, e->value_len + 1);
	if (!n->name || !n->value) {
		free_node(n);
		return NULL;
	}
	if (e->value_len)
		memcpy(n->value, e->value, e->value_len);
	n->value_len = e->value_len;
	n->parent = parent;
	if (!parent)
		return n;
	if (parent->last_child)
		parent->last_child->next = n;
	else
		parent->child = n;
	parent->last_child = n;
	return n;
}

/* Adds @e below @at and returns where the next element belongs, or NULL when out of memory. */
static struct vici_node *place(struct vici_node *at, const struct vici_element *e)
{
	struct vici_node *n;

	if (e->type == VICI_SECTION_END || e->type == VICI_LIST_END)
		return at->parent;
	n = new_node(at, e);
	if (!n)
		return NULL;
	return e->type == VICI_SECTION_START || e->type == VICI_LIST_START ? n : at;
}

struct vici_node *vici_tree_parse(const uint8_t *body, size_t len, const char **why)
{
	struct vici_element e = { .type = VICI_SECTION_START };
	struct vici_node *root = new_node(NULL, &e), *at = root;
	struct vici_cursor c;
	int got = 1;

	vici_cursor_init(&c, body, len);
	while (at && (got = vici_cursor_next(&c, &e)) > 0)
		at = place(at, &e);
	if (at && !got)
		return root;
	*why = got < 0 ? c.error : "out of memory";
	vici_tree_free(root);
	return NULL;
}

struct vici_node *vici_tree_take(struct vici_node *n)
{
	struct vici_node *child = n->child;

	if (!child)
		return NULL;
	n->child = child->next;
	if (!n->child)
		n->last_child = NULL;
	child->next = NULL;
	child->parent = NULL;
	return child;
}

const struct vici_node *vici_child(const struct vici_node *n, const char *name)
{
	const struct vici_node *c;

	for (c = n ? n->child : NULL; c; c = c->next)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

const char *vici_get(const struct vici_node *n, const char *key)
{
	const struct vici_node *c = vici_child(n, key);

	return c && c->type == VICI_KEY_VALUE ? c->value : NULL;
}
