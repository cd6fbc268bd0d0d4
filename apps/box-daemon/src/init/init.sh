# The first process of a box, `init.sh DAEMON [FOLDER]`: it keeps the daemon running on the link (descriptor 3), reaps what others leave behind, and ends everything
# on SIGTERM. It is a shell because that holds a tenth of a megabyte, and uses nothing but itself: the box may have no programs, or broken ones.
daemon=$1
# How often the daemon has fallen in a row, and after how many falls nobody can repair it by starting it again.
falls=0
hopeless=100
# A daemon that ran for so many seconds has not fallen in a row; it waits up to five of them by itself after a fall.
healthy=15

read_clock() {
  clock=0
  read -r clock _ < /proc/uptime
  clock=${clock%%.*}
}

stop() {
  trap '' TERM INT
  # Only the first process of a box may signal everything: elsewhere that would reach far more than our own.
  if [ $$ -eq 1 ]; then kill -s TERM -- -1; else kill -s TERM "$!"; fi
  # The daemon leaves last, when all others have ended or had their time.
  wait "$!"
  exit 0
}

# For the heap of a daemon its engine needs neither half a megabyte kept ready for more objects, nor threads to collect and to compile.
export BUN_JSC_useWarmUpMarkedBlocks=0 BUN_JSC_numberOfGCMarkers=1
export BUN_JSC_useConcurrentGC=0 BUN_JSC_useConcurrentJIT=0

ahead=no
# A box that was made ahead is given its root later: its daemon waits for that, and so does this. Over descriptors 4 and 5 both then hear what programs are told, in
# lines of `NAME=value` with an empty one behind them. Nothing but SIGKILL ends a box that waits.
if [ $# -eq 2 ]; then
  ahead=yes
  "$daemon" await "$2" <&5 4<&- 5<&- &
  while read -r line <&4 && [ -n "$line" ]; do export "$line"; done
  exec 4<&- 5<&-
  # Whoever made the box has ended.
  [ -n "$ALCOVE_WORKSPACE" ] || exit 1
  cd "$2" || exit 1
  unset line OLDPWD
fi
trap stop TERM INT

set -- serve
while :; do
  read_clock
  began=$clock
  if [ $ahead = no ]; then "$daemon" "$@" < /dev/null & fi
  ahead=no
  wait "$!"
  status=$?
  case $status in
  126 | 127) exit "$status" ;;
  esac
  read_clock
  if [ $((clock - began)) -ge $healthy ]; then falls=1; else falls=$((falls + 1)); fi
  if [ $falls -ge $hopeless ]; then exit 1; fi
  set -- serve "$falls" "$status"
done
