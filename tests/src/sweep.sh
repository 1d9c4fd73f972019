# Reads `watch PID SIGNAL` and `forget PID` until its input closes, which the kernel sees to however
# the test process ends; then stops what is still watched, and removes the directory.
directory=$1
watched=
while read -r order pid signal; do
    case $order in
    watch)
        watched="$watched $signal:$pid"
        ;;
    forget)
        kept=
        for each in $watched; do
            [ "${each#*:}" = "$pid" ] || kept="$kept $each"
        done
        watched=$kept
        ;;
    esac
done
for each in $watched; do
    kill -s "${each%:*}" "${each#*:}"
    # One that stands still would hear nothing.
    kill -s CONT "${each#*:}"
done
for each in $watched; do
    tenths=0
    while kill -0 "${each#*:}" && [ "$tenths" -lt 100 ]; do
        sleep 0.1
        tenths=$((tenths + 1))
    done
done
rm -rf "$directory"
