# What the checks share: they speak TAP and look at the files that are in the project.
# shellcheck shell=bash
points=0

point() { # point NAME OFFENDERS: holds if there are none
	local bad
	bad=$(sed '/^$/d' <<<"$2")
	points=$((points + 1))
	if [ -z "$bad" ]; then
		echo "ok $points - $1"
	else
		echo "not ok $points - $1"
		printf '%s\n' "$bad" | sed 's/^/# /'
	fi
}

skip() { # skip NAME REASON
	points=$((points + 1))
	echo "ok $points - $1 # skip $2"
}

plan() { echo "1..$points"; }

# What is tracked, or would be; in a tree without history, what is no build product.
project_files() {
	{
		git ls-files --cached --others --exclude-standard 2>/dev/null ||
			find . -path './build*' -prune -o -path ./.git -prune -o -type f -printf '%P\n'
	} | sort -u | while read -r f; do [ ! -f "$f" ] || echo "$f"; done
}
