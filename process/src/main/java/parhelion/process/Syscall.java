package parhelion.process;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The roster of system calls (arch/x86/entry/syscalls/syscall_64.tbl): number, arguments as {@code
 * --strace} shows them (see {@link Strace}), handler. What is not here gives ENOSYS.
 */
enum Syscall {
  READ(0, "fd out size", FileCalls::read),
  WRITE(1, "fd in size", FileCalls::write),
  OPEN(2, "path open mode", NameCalls::open),
  CLOSE(3, "fd", FileCalls::close),
  STAT(4, "path ptr", StatCalls::stat),
  FSTAT(5, "fd ptr", StatCalls::fstat),
  LSTAT(6, "path ptr", StatCalls::lstat),
  POLL(7, "ptr int int", PollCalls::poll),
  LSEEK(8, "fd int int", FileCalls::lseek),
  MMAP(9, "ptr size prot map fd hex", MemoryCalls::mmap),
  MPROTECT(10, "ptr size prot", MemoryCalls::mprotect),
  MUNMAP(11, "ptr size", MemoryCalls::munmap),
  BRK(12, "ptr", MemoryCalls::brk),
  RT_SIGACTION(13, "sig ptr ptr size", SignalCalls::sigaction),
  RT_SIGPROCMASK(14, "int ptr ptr size", SignalCalls::sigprocmask),
  RT_SIGRETURN(15, "", SignalCalls::sigreturn),
  IOCTL(16, "fd hex ptr", TerminalCalls::ioctl),
  PREAD64(17, "fd out size int", FileCalls::pread),
  PWRITE64(18, "fd in size int", FileCalls::pwrite),
  READV(19, "fd ptr int", FileCalls::readv),
  WRITEV(20, "fd ptr int", FileCalls::writev),
  ACCESS(21, "path mode", NameCalls::access),
  PIPE(22, "ptr", FileCalls::pipe),
  SELECT(23, "int ptr ptr ptr ptr", PollCalls::select),
  SCHED_YIELD(24, "", TimeCalls::yield),
  MREMAP(25, "ptr size size hex ptr", MemoryCalls::mremap),
  MSYNC(26, "ptr size int", MemoryCalls::msync),
  MINCORE(27, "ptr size ptr", MemoryCalls::mincore),
  MADVISE(28, "ptr size int", MemoryCalls::madvise),
  DUP(32, "fd", FileCalls::dup),
  DUP2(33, "fd fd", FileCalls::dup2),
  PAUSE(34, "", SignalCalls::pause),
  NANOSLEEP(35, "time ptr", TimeCalls::nanosleep),
  GETITIMER(36, "int ptr", TimeCalls::getitimer),
  ALARM(37, "int", TimeCalls::alarm),
  SETITIMER(38, "int ptr ptr", TimeCalls::setitimer),
  GETPID(39, "", IdentityCalls::getpid),
  SENDFILE(40, "fd fd ptr size", FileCalls::sendfile),
  SOCKET(41, "int int int", IdentityCalls::noSockets),
  SOCKETPAIR(53, "int int int ptr", IdentityCalls::noSockets),
  CLONE(56, "hex ptr ptr ptr hex", CloneCalls::clone),
  FORK(57, "", CloneCalls::fork),
  VFORK(58, "", CloneCalls::vfork),
  EXECVE(59, "path strings ptr", CloneCalls::execve),
  EXIT(60, "int", CloneCalls::exit),
  WAIT4(61, "int ptr hex ptr", WaitCalls::wait4),
  KILL(62, "int sig", SignalCalls::kill),
  UNAME(63, "ptr", IdentityCalls::uname),
  FCNTL(72, "fd int hex", FileCalls::fcntl),
  FLOCK(73, "fd int", FileCalls::flock),
  FSYNC(74, "fd", FileCalls::fsync),
  FDATASYNC(75, "fd", FileCalls::fdatasync),
  TRUNCATE(76, "path int", NameCalls::truncate),
  FTRUNCATE(77, "fd int", FileCalls::ftruncate),
  GETDENTS(78, "fd ptr size", StatCalls::getdents),
  GETCWD(79, "ptr size", NameCalls::getcwd),
  CHDIR(80, "path", NameCalls::chdir),
  FCHDIR(81, "fd", NameCalls::fchdir),
  RENAME(82, "path path", NameCalls::rename),
  MKDIR(83, "path mode", NameCalls::mkdir),
  RMDIR(84, "path", NameCalls::rmdir),
  CREAT(85, "path mode", NameCalls::creat),
  LINK(86, "path path", NameCalls::link),
  UNLINK(87, "path", NameCalls::unlink),
  SYMLINK(88, "str path", NameCalls::symlink),
  READLINK(89, "path out size", NameCalls::readlink),
  CHMOD(90, "path mode", NameCalls::chmod),
  FCHMOD(91, "fd mode", NameCalls::fchmod),
  CHOWN(92, "path int int", NameCalls::chown),
  FCHOWN(93, "fd int int", NameCalls::fchown),
  LCHOWN(94, "path int int", NameCalls::lchown),
  UMASK(95, "mode", NameCalls::umask),
  GETTIMEOFDAY(96, "ptr ptr", TimeCalls::gettimeofday),
  GETRLIMIT(97, "int ptr", IdentityCalls::getrlimit),
  GETRUSAGE(98, "int ptr", TimeCalls::getrusage),
  SYSINFO(99, "ptr", IdentityCalls::sysinfo),
  TIMES(100, "ptr", TimeCalls::times),
  GETUID(102, "", IdentityCalls::getuid),
  GETGID(104, "", IdentityCalls::getgid),
  SETUID(105, "int", IdentityCalls::setuid),
  SETGID(106, "int", IdentityCalls::setgid),
  GETEUID(107, "", IdentityCalls::getuid),
  GETEGID(108, "", IdentityCalls::getgid),
  SETPGID(109, "int int", IdentityCalls::setpgid),
  GETPPID(110, "", IdentityCalls::getppid),
  GETPGRP(111, "", IdentityCalls::getpgrp),
  SETSID(112, "", IdentityCalls::setsid),
  SETREUID(113, "int int", IdentityCalls::setreuid),
  SETREGID(114, "int int", IdentityCalls::setregid),
  GETGROUPS(115, "int ptr", IdentityCalls::getgroups),
  SETGROUPS(116, "int ptr", IdentityCalls::setgroups),
  SETRESUID(117, "int int int", IdentityCalls::setresuid),
  GETRESUID(118, "ptr ptr ptr", IdentityCalls::getresuid),
  SETRESGID(119, "int int int", IdentityCalls::setresgid),
  GETRESGID(120, "ptr ptr ptr", IdentityCalls::getresgid),
  GETPGID(121, "int", IdentityCalls::getpgid),
  GETSID(124, "int", IdentityCalls::getsid),
  RT_SIGPENDING(127, "ptr size", SignalCalls::sigpending),
  RT_SIGTIMEDWAIT(128, "ptr ptr time size", SignalCalls::sigtimedwait),
  RT_SIGQUEUEINFO(129, "int sig ptr", SignalCalls::sigqueueinfo),
  RT_SIGSUSPEND(130, "ptr size", SignalCalls::sigsuspend),
  SIGALTSTACK(131, "ptr ptr", SignalCalls::sigaltstack),
  UTIME(132, "path ptr", NameCalls::utime),
  STATFS(137, "path ptr", StatCalls::statfs),
  FSTATFS(138, "fd ptr", StatCalls::fstatfs),
  GETPRIORITY(140, "int int", IdentityCalls::getpriority),
  SETPRIORITY(141, "int int int", IdentityCalls::setpriority),
  PRCTL(157, "int hex hex hex hex", IdentityCalls::prctl),
  ARCH_PRCTL(158, "hex ptr", IdentityCalls::archPrctl),
  SETRLIMIT(160, "int ptr", IdentityCalls::setrlimit),
  SYNC(162, "", FileCalls::sync),
  GETTID(186, "", IdentityCalls::gettid),
  READAHEAD(187, "fd int size", FileCalls::advise),
  SETXATTR(188, "path str ptr size int", IdentityCalls::notSupported),
  LSETXATTR(189, "path str ptr size int", IdentityCalls::notSupported),
  FSETXATTR(190, "fd str ptr size int", IdentityCalls::notSupported),
  GETXATTR(191, "path str ptr size", IdentityCalls::notSupported),
  LGETXATTR(192, "path str ptr size", IdentityCalls::notSupported),
  FGETXATTR(193, "fd str ptr size", IdentityCalls::notSupported),
  LISTXATTR(194, "path ptr size", IdentityCalls::notSupported),
  LLISTXATTR(195, "path ptr size", IdentityCalls::notSupported),
  FLISTXATTR(196, "fd ptr size", IdentityCalls::notSupported),
  REMOVEXATTR(197, "path str", IdentityCalls::notSupported),
  LREMOVEXATTR(198, "path str", IdentityCalls::notSupported),
  FREMOVEXATTR(199, "fd str", IdentityCalls::notSupported),
  TKILL(200, "int sig", SignalCalls::tkill),
  TIME(201, "ptr", TimeCalls::time),
  FUTEX(202, "ptr hex int ptr ptr hex", FutexCalls::futex),
  SCHED_SETAFFINITY(203, "int size ptr", TimeCalls::setaffinity),
  SCHED_GETAFFINITY(204, "int size ptr", TimeCalls::getaffinity),
  GETDENTS64(217, "fd ptr size", StatCalls::getdents64),
  SET_TID_ADDRESS(218, "ptr", IdentityCalls::setTidAddress),
  FADVISE64(221, "fd int size int", FileCalls::advise),
  CLOCK_GETTIME(228, "int ptr", TimeCalls::clockGettime),
  CLOCK_GETRES(229, "int ptr", TimeCalls::clockGetres),
  CLOCK_NANOSLEEP(230, "int int time ptr", TimeCalls::clockNanosleep),
  EXIT_GROUP(231, "int", CloneCalls::exitGroup),
  TGKILL(234, "int int sig", SignalCalls::tgkill),
  UTIMES(235, "path ptr", NameCalls::utimes),
  WAITID(247, "int int ptr hex ptr", WaitCalls::waitid),
  OPENAT(257, "dir path open mode", NameCalls::openat),
  MKDIRAT(258, "dir path mode", NameCalls::mkdirat),
  FCHOWNAT(260, "dir path int int hex", NameCalls::fchownat),
  FUTIMESAT(261, "dir path ptr", NameCalls::futimesat),
  NEWFSTATAT(262, "dir path ptr hex", StatCalls::fstatat),
  UNLINKAT(263, "dir path hex", NameCalls::unlinkat),
  RENAMEAT(264, "dir path dir path", NameCalls::renameat),
  LINKAT(265, "dir path dir path hex", NameCalls::linkat),
  SYMLINKAT(266, "str dir path", NameCalls::symlinkat),
  READLINKAT(267, "dir path out size", NameCalls::readlinkat),
  FCHMODAT(268, "dir path mode", NameCalls::fchmodat),
  FACCESSAT(269, "dir path mode", NameCalls::faccessat),
  PSELECT6(270, "int ptr ptr ptr time ptr", PollCalls::pselect),
  PPOLL(271, "ptr int time ptr size", PollCalls::ppoll),
  SET_ROBUST_LIST(273, "ptr size", FutexCalls::setRobustList),
  GET_ROBUST_LIST(274, "int ptr ptr", FutexCalls::getRobustList),
  UTIMENSAT(280, "dir path ptr hex", NameCalls::utimensat),
  FALLOCATE(285, "fd int int size", FileCalls::fallocate),
  DUP3(292, "fd fd hex", FileCalls::dup3),
  PIPE2(293, "ptr hex", FileCalls::pipe2),
  PREADV(295, "fd ptr int int", FileCalls::preadv),
  PWRITEV(296, "fd ptr int int", FileCalls::pwritev),
  PRLIMIT64(302, "int int ptr ptr", IdentityCalls::prlimit),
  SYNCFS(306, "fd", FileCalls::fsync),
  RENAMEAT2(316, "dir path dir path hex", NameCalls::renameat2),
  GETRANDOM(318, "ptr size hex", IdentityCalls::getrandom),
  STATX(332, "dir path hex hex ptr", StatCalls::statx),
  RSEQ(334, "ptr size hex hex", IdentityCalls::notImplemented),
  CLONE3(435, "ptr size", CloneCalls::clone3),
  CLOSE_RANGE(436, "int int hex", FileCalls::closeRange),
  FACCESSAT2(439, "dir path mode hex", NameCalls::faccessat2),
  FCHMODAT2(452, "dir path mode hex", NameCalls::fchmodat2);

  /** What a call does; a failure is a {@link LinuxError}. */
  interface Handler {
    long call(Task task, long a, long b, long c, long d, long e, long f);
  }

  /** Numbers are below this. */
  static final int LIMIT = 512;

  private static final @Nullable Syscall[] BY_NUMBER = new Syscall[LIMIT];

  static {
    for (Syscall call : values()) {
      BY_NUMBER[call.number] = call;
    }
  }

  final int number;
  final String[] arguments;
  final Handler handler;

  Syscall(int number, String arguments, Handler handler) {
    this.number = number;
    this.arguments = arguments.isEmpty() ? new String[0] : arguments.split(" ");
    this.handler = handler;
  }

  static @Nullable Syscall of(long number) {
    return number >= 0 && number < LIMIT ? BY_NUMBER[(int) number] : null;
  }

  /** Linux's name, or the number of a call that is not in the roster. */
  static String nameOf(long number) {
    Syscall call = of(number);
    return call == null ? "syscall_" + number : call.name().toLowerCase(Locale.ROOT);
  }
}
