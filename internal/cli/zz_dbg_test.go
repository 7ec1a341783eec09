package cli
import ("testing";"os";"os/exec")
func TestZZ(t *testing.T){ s:=newScene(t); r:=s.begin(t); p:=r.mortal(t,&mortal{}); r.finish(t,p,3)
 b,_:=os.ReadFile(r.dir+"/moments"); t.Log(string(b))
 o,_:=exec.Command("grep","-o",`"service":.*`,r.journal()).Output(); t.Log(string(o))
 t.Logf("%+v", r.ending(t)) }
