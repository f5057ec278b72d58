# Keeps the squares of 1 to 10 in a table of its own, and prints them from there.
.include "call.S"
  xorl %ecx, %ecx
fill:
  leal 1(%ecx), %eax
  imull %eax, %eax
  movl %eax, table(,%ecx,4)
  incl %ecx
  cmpl $10, %ecx
  jne fill
  xorl %ecx, %ecx
print:
  movl table(,%ecx,4), %ebx
  ask NUMBER
  movl $60, %edx
think: # it takes its time, so that other jobs get turns
  decl %edx
  jnz think
  incl %ecx
  cmpl $10, %ecx
  jne print
  ask END
.align 4
table:
  .fill 10, 4, 0
