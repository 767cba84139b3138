// The same job as a short Go function: parse, filter by level, sign, post, check errcode, answer.
// Listens on loopback; on the platform it would be 0.0.0.0.
//
//	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o notifier notifier.go
package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

var (
	webhook = os.Getenv("DINGTALK_WEBHOOK")
	secret  = os.Getenv("DINGTALK_SECRET")
	sent    = map[string]bool{}
	levels  = map[string]string{
		"Instance:SystemMaintenance.Reboot:Scheduled": "WARN",
		"Instance:SystemFailure.Reboot:Executing":     "CRITICAL",
		"Instance:PreemptibleInstanceInterruption":    "WARN",
		"Disk:Stalled:Executing":                      "CRITICAL",
	}
	client = &http.Client{
		Timeout:   5 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 100},
	}
)

type event struct {
	Type   string `json:"type"`
	Time   string `json:"time"`
	Region string `json:"aliyunregionid"`
	Data   struct {
		EventStatus string `json:"eventStatus"`
		State       string `json:"state"`
		EventLevel  string `json:"eventLevel"`
		InstanceID  string `json:"instanceId"`
		ResourceID  string `json:"resourceId"`
		NotBefore   string `json:"notBefore"`
	} `json:"data"`
}

func first(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

func handle(payload []byte) (string, error) {
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		return "", err
	}
	fullName := strings.TrimPrefix(e.Type, "ecs:")
	if status := first(e.Data.EventStatus, e.Data.State); status != "" {
		fullName += ":" + status
	}
	level := first(e.Data.EventLevel, levels[fullName], "INFO")
	if !sent[level] {
		return "filtered", nil
	}
	text := fmt.Sprintf("### %s %s\n\nInstance: %s  \nRegion: %s  \nTime: %s  \nPlanned for: %s\n\nCloudMonitor · ECS",
		level, fullName, first(e.Data.InstanceID, e.Data.ResourceID), e.Region, e.Time, e.Data.NotBefore)
	timestamp := strconv.FormatInt(time.Now().UnixMilli(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "\n" + secret))
	sign := url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	body, err := json.Marshal(map[string]any{
		"msgtype":  "markdown",
		"markdown": map[string]string{"title": fullName, "text": text},
	})
	if err != nil {
		return "", err
	}
	answer, err := client.Post(webhook+"&timestamp="+timestamp+"&sign="+sign, "application/json", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(io.LimitReader(answer.Body, 64*1024))
	if err != nil {
		return "", err
	}
	result := struct {
		Errcode *int `json:"errcode"`
	}{}
	if err := json.Unmarshal(said, &result); err != nil {
		return "", err
	}
	if answer.StatusCode != 200 || result.Errcode == nil || *result.Errcode != 0 {
		return "", fmt.Errorf("not delivered: %s", said)
	}
	return "delivered", nil
}

func main() {
	for _, level := range strings.Split(first(os.Getenv("EVENT_LEVELS"), "CRITICAL,WARN"), ",") {
		sent[level] = true
	}
	http.HandleFunc("/invoke", func(w http.ResponseWriter, r *http.Request) {
		status, reply := 200, map[string]string{}
		payload, err := io.ReadAll(r.Body)
		if err == nil {
			reply["outcome"], err = handle(payload)
		}
		if err != nil {
			status, reply = 404, map[string]string{"errorMessage": err.Error()}
		}
		body, _ := json.Marshal(reply)
		w.Header().Set("x-fc-status", strconv.Itoa(status))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		w.Write(body)
	})
	port := first(os.Getenv("FC_SERVER_PORT"), "9000")
	if err := http.ListenAndServe("127.0.0.1:"+port, nil); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
