package parhelion.toolstack.image;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the default initramfs is to do beyond giving a shell.
 *
 * @param command what to run instead of the shell, if anything
 * @param modules the kernel modules that the guest's devices need
 * @param texts more files, by their path without a leading slash; the script {@code init} reads
 *     {@code etc/shares} (lines of tag, mount options and place) and {@code etc/directory} (where
 *     the command or the shell begins)
 */
public record GuestSetup(
    @Nullable GuestCommand command, ModuleSet modules, Map<String, String> texts) {
  /** Only a command. */
  public static GuestSetup of(@Nullable GuestCommand command) {
    return new GuestSetup(command, ModuleSet.NONE, Map.of());
  }
}
