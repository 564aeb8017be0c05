#!/usr/bin/busybox sh
# One step of the tests: a program with its words, one a line of the plan. Each line of what it says
# begins with the step's name, for another one runs beside it.

name=$(basename "$1" .plan)
set -- "$1"
while IFS= read -r word; do set -- "$@" "$word"; done < "$1"
shift
{
    echo "# $*"
    "$@" < /dev/null 2>&1
    code=$?
    [ $code = 0 ] || touch /tests/failed
    # After its last line, which the pipe may still hold.
    echo "$name $code" > "$results"
} | while IFS= read -r line; do echo "$name: $line"; done
