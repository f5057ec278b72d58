# What the launcher and the build of a launch share: where a build is kept and how java is started.
# The sourcing script has set root, and jdk before launch.
#
# A build is a generation, target/parhelion/NAME/{lib/*.jar,parhelion.aot,parhelion.code}. The file "current" beside
# the generations names the one to run and is as old as the moment its build began, so that sources
# edited meanwhile count as newer. A generation is never changed, for a guest may be running from it; only
# parhelion.code, the code that was generated for earlier guests, is put there anew when there is more.

launch_state=$root/target/parhelion

# True, with generation set, if there is a build and no source is newer. One find, a few ms.
built() {
  generation=
  [ -r "$launch_state/current" ] && read -r generation <"$launch_state/current" || return 1
  [ -n "$generation" ] && [ -d "$launch_state/$generation/lib" ] || return 1
  [ -z "$(newer_source)" ]
}

# Prints a source of the shipped modules that is newer than the build, if there is one. Directories
# count too: deleting a file makes its directory newer.
newer_source() {
  cd "$root" || return
  launch_sources="pom.xml bin/build.sh bin/UpgradeClasses.java"
  for launch_pom in */pom.xml; do
    case $launch_pom in
      testkit/* | bench/*) ;;
      *) launch_sources="$launch_sources $launch_pom ${launch_pom%/pom.xml}/src/main" ;;
    esac
  done
  # shellcheck disable=SC2086
  find $launch_sources -newer target/parhelion/current -print -quit 2>/dev/null
}

# Starts java on a generation's jars: run_java HOW AOT-OPTION ARGUMENTS..., where HOW is empty or
# "exec". No warning of the JVM reaches the user's screen: what the code needs (native access, the
# export of jdk.internal.misc) is allowed by name in the jar's manifest (as options they would cost
# the JVM its archived module graph), libraries may use sun.misc.Unsafe, and the JVM's own log is off:
# an AOT cache made by another JDK is worth no message, java runs without it.
# The heap holds decoded code and images while they are unpacked; guests' memory is outside of it.
# shellcheck disable=SC2086
# HotSpot's first compiler alone, where guest code is rewritten to host code: what is left for Java is
# done before the second one's code would pay (a boot takes half the processor time so). The
# interpreter wants both.
run_java() {
  java_how=$1
  java_aot=$2
  shift 2
  java_tiers=-XX:TieredStopAtLevel=1
  case " $* " in
    *' --engine interpreter '* | *' --engine=interpreter '*) java_tiers=-XX:+TieredCompilation ;;
  esac
  [ "$(uname -sm)" = 'Linux x86_64' ] || java_tiers=-XX:+TieredCompilation
  $java_how "$jdk/bin/java" $java_tiers -Xlog:disable -XX:-UsePerfData -XX:+UseSerialGC -Xms128m -Xmx2g \
    -Xss2m --sun-misc-unsafe-memory-access=allow "$java_aot" \
    "-Dparhelion.code.store=$launch_state/$generation/parhelion.code" ${PARHELION_JAVA_OPTS:-} -jar "$launch_state/$generation/lib/parhelion.jar" "$@"
}

# Becomes java with the arguments given.
launch() {
  if [ -r "$launch_state/$generation/parhelion.aot" ]; then
    run_java exec "-XX:AOTCache=$launch_state/$generation/parhelion.aot" "$@"
  else
    run_java exec -XX:AOTMode=auto "$@"
  fi
}
