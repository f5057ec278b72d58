package parhelion.toolstack.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import parhelion.media.codec.Bytes;

/**
 * The initramfs that a guest gets when the user names none: a static busybox with links for all its
 * applets, device nodes, and the script {@code init} beside this class. It runs alike under Xen
 * ({@code console=hvc0}) and on a PC ({@code console=ttyS0}).
 */
public final class DefaultInitramfs {
  private static final int MAX_BUSYBOX_BYTES = 64 << 20;
  private static final int MAX_APPLETS = 1000;
  private static final String REMEDY = "give a static x86-64 busybox, or --initrd";

  /**
   * Disks are asked for 256 KiB at once, not for the driver's 128: it has 8 MiB of pages for its 32
   * requests then. What the kernel's command line says of a module comes after this.
   */
  private static final String MODULE_OPTIONS = "options xen-blkfront max_indirect_segments=64\n";

  /** One mount command mounts them all: one fork instead of five. */
  private static final String FSTAB =
      """
      proc /proc proc defaults 0 0
      sysfs /sys sysfs defaults 0 0
      devtmpfs /dev devtmpfs defaults 0 0
      tmpfs /tmp tmpfs defaults 0 0
      """;

  /** What a mount without a type tries, the likely ones first. */
  private static final String FILE_SYSTEMS =
      """
      ext4
      xfs
      btrfs
      vfat
      iso9660
      squashfs
      """;

  /** What busybox's DHCP client calls with what it was given. */
  private static final String UDHCPC =
      """
      #!/bin/sh
      case $1 in bound | renew) ;; *) exit 0 ;; esac
      ip addr flush dev $interface scope global
      [ -z "$mtu" ] || ip link set $interface mtu $mtu
      ip addr add $ip/$mask dev $interface
      [ -z "$router" ] || ip route add default via ${router%% *}
      {
        [ -z "$domain" ] || echo search $domain
        for server in $dns; do echo nameserver $server; done
      } >/etc/resolv.conf
      """;

  /** Run by the kernel for a shutdown from outside; at once, as our first process is no init. */
  private static final Set<String> ENDINGS = Set.of("poweroff", "reboot", "halt");

  private static final String PROFILE =
      """
      . /etc/shrc
      echo 'A shell in the guest; "poweroff" or "exit" ends it.'
      """;

  /** Functions, because this busybox prefers its applets to what is in /bin. */
  private static final String SHRC =
      """
      PS1='\\h:\\w\\$ '
      poweroff() { busybox poweroff -f; }
      reboot() { busybox reboot -f; }
      halt() { busybox halt -f; }
      """;

  private DefaultInitramfs() {}

  /**
   * Builds the archive; about 2 MB, the same bytes for the same arguments.
   *
   * @param busybox a statically linked busybox for x86-64
   * @param command what to run instead of a shell, if anything; only a command that is too long for
   *     the kernel's command line is put into the archive
   */
  public static byte[] build(Path busybox, @Nullable GuestCommand command) {
    return of(busybox, GuestSetup.of(command));
  }

  /** As {@link #build(Path, GuestCommand)}, with kernel modules. */
  public static byte[] build(Path busybox, @Nullable GuestCommand command, ModuleSet modules) {
    return of(busybox, new GuestSetup(command, modules, Map.of()));
  }

  /** As {@link #build(Path, GuestCommand)}, with all that there may be. */
  public static byte[] of(Path busybox, GuestSetup setup) {
    try {
      long size = Files.size(busybox);
      if (size > MAX_BUSYBOX_BYTES) {
        throw ImageException.of(busybox.toString(), "is too large for a busybox", REMEDY);
      }
      return build(Files.readAllBytes(busybox), busybox.toString(), setup);
    } catch (NoSuchFileException e) {
      throw ImageException.of(busybox.toString(), "there is no such file", REMEDY, e);
    } catch (IOException e) {
      throw ImageException.unreadable(busybox.toString(), REMEDY, e);
    }
  }

  /** As {@link #build(Path, GuestCommand)}, busybox in memory, called {@code name} in messages. */
  public static byte[] build(byte[] busybox, String name, GuestSetup setup) {
    GuestCommand command = setup.command();
    ModuleSet modules = setup.modules();
    ElfImage.parse(ByteBuffer.wrap(busybox), name);
    List<String> applets = applets(busybox);
    if (!applets.contains("sh") || !applets.contains("mount")) {
      throw ImageException.of(name, "is not a busybox with sh and mount", REMEDY);
    }
    Initramfs archive =
        new Initramfs()
            .directory("dev", 0755)
            .characterDevice("dev/console", 0600, 5, 1)
            .characterDevice("dev/null", 0666, 1, 3)
            .characterDevice("dev/zero", 0666, 1, 5)
            .characterDevice("dev/kmsg", 0644, 1, 11)
            .characterDevice("dev/tty", 0666, 5, 0)
            .characterDevice("dev/ttyS0", 0600, 4, 64)
            .characterDevice("dev/hvc0", 0600, 229, 0)
            .directory("proc", 0555)
            .directory("sys", 0555)
            .directory("tmp", 01777)
            .directory("root", 0700)
            .directory("etc", 0755)
            .file("etc/fstab", 0644, utf8(FSTAB))
            .file("etc/filesystems", 0644, utf8(FILE_SYSTEMS))
            .file("etc/profile", 0644, utf8(PROFILE))
            .file("etc/shrc", 0644, utf8(SHRC))
            .file("etc/passwd", 0644, utf8("root::0:0:root:/root:/bin/sh\n"))
            .file("etc/udhcpc", 0755, utf8(UDHCPC))
            .file("etc/group", 0644, utf8("root:x:0:\n"))
            .symlink("sbin", "bin")
            .symlink("usr/bin", "../bin")
            .symlink("usr/sbin", "../bin")
            .file("bin/busybox", 0755, busybox);
    for (String applet : applets) {
      if (ENDINGS.contains(applet)) {
        archive.file("bin/" + applet, 0755, utf8("#!/bin/sh\nexec busybox " + applet + " -f\n"));
      } else if (!applet.equals("busybox")) {
        archive.symlink("bin/" + applet, "busybox");
      }
    }
    modules.files().forEach((path, bytes) -> archive.file("lib/modules/" + path, 0644, bytes));
    if (!modules.load().isEmpty()) {
      archive.file("etc/modules", 0644, utf8(String.join(" ", modules.load()) + "\n"));
      archive.file("etc/modprobe.d/parhelion.conf", 0644, utf8(MODULE_OPTIONS));
    }
    setup.texts().forEach((path, text) -> archive.file(path, 0644, utf8(text)));
    if (command != null && !command.fitsCommandLine()) {
      archive.file("parhelion-cmd", 0644, utf8(". /etc/shrc\n" + command.shellText() + "\n"));
    }
    archive.file(StewardProgram.PATH, 0755, StewardProgram.bytes());
    return archive.file("init", 0755, script()).toBytes();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] script() {
    try (InputStream in = DefaultInitramfs.class.getResourceAsStream("init")) {
      if (in == null) {
        throw new IllegalStateException("the init script is missing from the class path");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new IllegalStateException("the init script cannot be read", e);
    }
  }

  /**
   * The names of a busybox's applets, which it holds as one sorted list of NUL-terminated strings
   * that begins with {@code [}. Running it is no way to ask: the host need not be able to.
   */
  static List<String> applets(byte[] busybox) {
    for (int at = 1; at < busybox.length; at++) {
      if (busybox[at] == '[' // rare, so the loop is short: this is on the way to every boot
          && busybox[at - 1] == 0
          && Bytes.startsWith(busybox, at, '[', 0, '[', '[', 0)) {
        List<String> names = listAt(busybox, at);
        if (names.size() > 20) {
          return names;
        }
      }
    }
    return List.of();
  }

  private static List<String> listAt(byte[] busybox, int at) {
    List<String> names = new ArrayList<>();
    String previous = "";
    while (names.size() < MAX_APPLETS) {
      int end = at;
      while (end < busybox.length && end - at < 32 && nameByte(busybox[end])) {
        end++;
      }
      if (end == at || end >= busybox.length || busybox[end] != 0) {
        return names;
      }
      String name = new String(busybox, at, end - at, StandardCharsets.US_ASCII);
      if (name.compareTo(previous) <= 0) {
        return names;
      }
      names.add(name);
      previous = name;
      at = end + 1;
    }
    return names;
  }

  private static boolean nameByte(byte b) {
    return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || "[._-+".indexOf(b) >= 0;
  }
}
