// SPDX-License-Identifier: MIT
/* Leases of addresses in a file. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lease_file.h"
#include "log.h"

enum {
	LINES_MAX = 1000000,
	LINE_MAX_LEN = 1024,
};

/* A line that is none is left out: what is lost is that one peer keeps its address. */
static void read_line(struct ike_leases *l, char *line)
{
	char *pool = strsep(&line, " "), *text = strsep(&line, " ");
	struct ike_addr addr;

	if (!line || !*pool || !*line || !ike_addr_parse(text, &addr, NULL))
		return;
	ike_lease_restore(l, pool, line, &addr);
}

static void read_all(struct ike_leases *l, FILE *file)
{
	char line[LINE_MAX_LEN];
	size_t n = 0, len;

	while (n++ < LINES_MAX && fgets(line, sizeof(line), file)) {
		len = strlen(line);
		/* Without its end it was cut by a crash, or is too long. */
		if (line[len - 1] != '\n')
			continue;
		line[len - 1] = '\0';
		read_line(l, line);
	}
}

static int write_line(int fd, const char *pool, const char *identity, const struct ike_addr *addr)
{
	char text[IKE_ADDR_TEXT_MAX], line[LINE_MAX_LEN];
	int len = snprintf(line, sizeof(line), "%s %s %s\n", pool,
			   ike_addr_text(addr, text, sizeof(text)), identity);

	if (len < 0 || len >= (int)sizeof(line))
		return -1;
	return write(fd, line, len) == len ? 0 : -1;
}

static int write_all(const struct ike_leases *l, int fd)
{
	const struct ike_lease *lease;

	TAILQ_FOREACH(lease, &l->idle, link)
		if (write_line(fd, lease->pool, lease->identity, &lease->addr))
			return -1;
	return fsync(fd);
}

/* Whole or not at all: a crash in the midst of it leaves the old file. */
static int renew(struct lease_file *f, const char *path)
{
	char fresh[PATH_MAX];
	int fd;

	if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
		return -1;
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	if (write_all(&f->old, fd) || rename(fresh, path)) {
		close(fd);
		unlink(fresh);
		return -1;
	}
	f->fd = fd;
	return 0;
}

int lease_file_open(struct lease_file *f, const char *path)
{
	FILE *file = fopen(path, "re");

	f->fd = -1;
	ike_leases_init(&f->old);
	if (file) {
		read_all(&f->old, file);
		fclose(file);
	}
	if ((file || errno == ENOENT) && !renew(f, path))
		return 0;
	log_error("%s: %m; addresses given to peers will not be remembered", path);
	return -1;
}

void lease_file_restore(struct lease_file *f, struct ike_engine *engine)
{
	const struct ike_lease *lease;

	TAILQ_FOREACH(lease, &f->old.idle, link)
		ike_engine_restore_lease(engine, lease->pool, lease->identity, &lease->addr);
	ike_leases_free(&f->old);
}

void lease_file_keep(struct lease_file *f, const char *pool, const char *identity,
		     const struct ike_addr *addr)
{
	if (f->fd >= 0 && write_line(f->fd, pool, identity, addr))
		log_error("the lease of an address cannot be written: %m");
}

void lease_file_close(struct lease_file *f)
{
	ike_leases_free(&f->old);
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}
