# SPDX-License-Identifier: GPL-2.0
#
# For scripts/check-prototypes. Of what `bpftool btf dump file FILE` prints, one line per named type, function and
# tracepoint: KIND NAME, a tab, and its declaration. Members have their offset in bits behind them, parameters have no
# names. The variable keys names a file whose first columns are the only KIND NAMEs to print.

function number(line, label) {
	if (!match(line, "(^|[ \t])" label "=[0-9]+"))
		return ""
	line = substr(line, RSTART, RLENGTH)
	sub(/.*=/, "", line)
	return line + 0
}

# As C has it, from the name outwards.
function declare(id, inner,    to) {
	to = target[id]
	if (!id)
		return join("void", inner)
	# which only some compilers record
	if (kind[id] == "TYPE_TAG")
		return declare(to, inner)
	if (kind[id] == "PTR") {
		while (kind[to] == "TYPE_TAG")
			to = target[to]
		return declare(to, kind[to] ~ /^(FUNC_PROTO|ARRAY)$/ ? "(*" inner ")" : "*" inner)
	}
	if (kind[id] ~ /^(CONST|VOLATILE|RESTRICT)$/) {
		if (kind[to] == "PTR")
			return declare(to, join(tolower(kind[id]), inner))
		return join(tolower(kind[id]), declare(to, inner))
	}
	if (kind[id] == "FUNC_PROTO")
		return declare(to, inner "(" parameters(id) ")")
	if (kind[id] == "ARRAY")
		return declare(to, inner "[" elements[id] "]")
	return join(prefix(id) (name[id] == "(anon)" ? "{ " body(id, 0) "}" : name[id]), inner)
}

function join(left, right) {
	return left (right == "" ? "" : " ") right
}

function prefix(id) {
	if (kind[id] ~ /^(STRUCT|UNION)$/)
		return tolower(kind[id]) " "
	if (kind[id] ~ /^ENUM/)
		return "enum "
	return kind[id] == "FWD" ? forward[id] " " : ""
}

function parameters(id,    n, part, i, text) {
	n = split(inside[id], part, "\n") - 1
	for (i = 1; i <= n; i++)
		text = text (i > 1 ? ", " : "") (number(part[i], "type_id") ? declare(number(part[i], "type_id"), "") : "...")
	return n > 0 ? text : "void"
}

# Those of an anonymous member are the type's own.
function body(id, base,    n, part, i, text, label, at) {
	n = split(inside[id], part, "\n") - 1
	for (i = 1; i <= n; i++) {
		label = part[i]
		sub(/^\t'/, "", label)
		sub(/' [a-z_]+=.*/, "", label)
		if (kind[id] ~ /^ENUM/) {
			sub(/.*val=/, label " = ", part[i])
			text = text part[i] "; "
			continue
		}
		at = base + number(part[i], "bits_offset")
		if (label == "(anon)")
			text = text body(number(part[i], "type_id"), at)
		else
			text = text declare(number(part[i], "type_id"), label) \
				(number(part[i], "bitfield_size") ? ":" number(part[i], "bitfield_size") : "") " @" at "; "
	}
	return text
}

function show(key, text) {
	if (keys == "" || key in wanted)
		print key "\t" text
}

BEGIN {
	FS = "[ \t]"
	while (keys != "" && (getline line <keys) > 0) {
		sub(/\t.*/, "", line)
		wanted[line]
	}
}

/^\t/ { inside[id] = inside[id] $0 "\n" }

/^\[/ {
	id = substr($1, 2) + 0
	kind[id] = $2
	match($0, /'.*'/)
	name[id] = substr($0, RSTART + 1, RLENGTH - 2)
	$0 = substr($0, RSTART + RLENGTH)
	target[id] = number($0, "(ret_)?type_id")
	elements[id] = number($0, "nr_elems")
	size[id] = number($0, "size")
	if (match($0, /fwd_kind=[a-z]+/))
		forward[id] = substr($0, RSTART + 9, RLENGTH - 9)
	if (id > last)
		last = id
}

END {
	for (id = 1; id <= last; id++) {
		if (name[id] == "(anon)")
			continue
		# an enum without values is one that is only declared
		if (kind[id] == "FUNC")
			show("function " name[id], declare(target[id], name[id]))
		else if (kind[id] == "TYPEDEF") {
			show("typedef " name[id], declare(target[id], name[id]))
			if (sub(/^btf_trace_/, "", name[id]))
				show("tracepoint " name[id], declare(target[target[id]], name[id]))
		} else if (kind[id] ~ /^(STRUCT|UNION)$/ || kind[id] ~ /^ENUM/ && inside[id] != "")
			show(tolower(kind[id]) " " name[id], size[id] " bytes: " body(id, 0))
	}
}
