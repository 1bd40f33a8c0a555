#!/bin/bash
# Make the shell completions of one program from its own option table (--dump-options).
#
#	completions/make.sh PROGRAM DIR		writes DIR/{bash,zsh,fish}/…
set -euo pipefail
program=$1
out=$2
name=$(basename "$program")
dump=$("$program" --dump-options)
mkdir -p "$out/bash" "$out/zsh" "$out/fish"

summary=$(awk -F'\t' '$1 == "program" { print $4 }' <<<"$dump")

# Is the argument a file, a directory, or one of a list?
kind() { # kind ARG CHOICES
	case "$1:$2" in
	FILE:*) echo file ;;
	DIR:*) echo dir ;;
	-:-) echo flag ;;
	*:-) echo text ;;
	*) echo choice ;;
	esac
}

# The shell cuts "--mode=dv" at the "=": what comes before it is then two words back.
bash_completion() {
	local words="" cases=""
	while IFS=$'\t' read -r what short long arg choices _; do
		[ "$what" != program ] || continue
		words+=" --$long"
		local match="--$long"
		[ "$short" = - ] || { words+=" -$short"; match="-$short | --$long"; }
		case $(kind "$arg" "$choices") in
		file) cases+="	$match) mapfile -t COMPREPLY < <(compgen -f -- \"\$cur\"); return ;;"$'\n' ;;
		dir) cases+="	$match) mapfile -t COMPREPLY < <(compgen -d -- \"\$cur\"); return ;;"$'\n' ;;
		choice) cases+="	$match) mapfile -t COMPREPLY < <(compgen -W '$choices' -- \"\$cur\"); return ;;"$'\n' ;;
		text) cases+="	$match) return ;;"$'\n' ;;
		esac
	done <<<"$dump"
	cat <<BASH
# bash completion for $name
_${name//-/_}() {
	local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
	COMPREPLY=()
	if [[ \$cur == = ]]; then
		cur=
	elif [[ \$prev == = ]]; then
		prev=\${COMP_WORDS[COMP_CWORD-2]}
	fi
	case \$prev in
${cases}	esac
	case \$cur in
	-*) mapfile -t COMPREPLY < <(compgen -W '${words# }' -- "\$cur") ;;
	*) mapfile -t COMPREPLY < <(compgen -f -- "\$cur") ;;
	esac
}
complete -o filenames -F _${name//-/_} $name
BASH
}

zsh_completion() {
	echo "#compdef $name"
	echo
	echo "_arguments -s -S \\"
	while IFS=$'\t' read -r what short long arg choices help; do
		[ "$what" != program ] || continue
		local names="" spec="" text
		# Characters that zsh would read as part of the specification.
		text=${help//\\/\\\\}
		text=${text//\'/\'\\\'\'}
		text=${text//\[/\\[}
		text=${text//\]/\\]}
		case $(kind "$arg" "$choices") in
		file) spec=":file:_files" ;;
		dir) spec=":directory:_files -/" ;;
		choice) spec=":value:($choices)" ;;
		text) spec=":$(tr 'A-Z=' 'a-z ' <<<"$arg"):" ;;
		esac
		# "+": the value may be attached to a short option; "=": to a long one by "=".
		if [ "$short" = - ]; then
			names="--$long${spec:+=}"
			echo "	'$names[$text]$spec' \\"
		else
			names="{-$short${spec:++},--$long${spec:+=}}"
			echo "	$names'[$text]$spec' \\"
		fi
	done <<<"$dump"
	echo "	'*:file:_files'"
}

fish_completion() {
	echo "# fish completion for $name: $summary"
	while IFS=$'\t' read -r what short long arg choices help; do
		[ "$what" != program ] || continue
		local line="complete -c $name -l $long" text
		[ "$short" = - ] || line+=" -s $short"
		case $(kind "$arg" "$choices") in
		file) line+=" -r -F" ;;
		dir) line+=" -x -a '(__fish_complete_directories)'" ;;
		choice) line+=" -x -a '$choices'" ;;
		text) line+=" -x" ;;
		esac
		text=${help//\\/\\\\}
		echo "$line -d '${text//\'/\\\'}'"
	done <<<"$dump"
}

bash_completion >"$out/bash/$name"
zsh_completion >"$out/zsh/_$name"
fish_completion >"$out/fish/$name.fish"
