# Writes noughts into its memory, and goes on behind the end of it for 1024 bytes more, if nobody stops it.
.include "call.S"
  ask SIZE
  movl %eax, %edi
  subl $4, %edi
  leal 1024(%eax), %esi
write:
  movl $'w', %ebx
  testl $255, %edi
  jnz quiet
  ask LETTER
quiet:
  movl $0, (%edi) # the last word that is its own, then those of somebody else
  addl $4, %edi
  cmpl %esi, %edi
  jb write
  movl $'!', %ebx
  ask LETTER
  ask END
